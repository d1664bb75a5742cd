"""What a connection rarely needs is loaded when it is needed."""

import subprocess
import sys

LINES = """
import sys
from lanpi import hosts
hosts._defer("invoke")
import lanpi.hosts.connect
from paramiko import SSHConfig
assert "invoke.tasks" not in sys.modules
config = SSHConfig.from_text("Match exec true\\n  Port 2222\\nMatch exec false\\n  User nobody\\n")
found = config.lookup("pi")
assert found["port"] == "2222", found
assert "user" not in found, found
assert "invoke.tasks" in sys.modules
"""


def test_paramiko_can_still_run_the_commands_of_an_ssh_config():
    done = subprocess.run([sys.executable, "-c", LINES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
