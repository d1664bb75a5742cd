"""Whatever interrupts an install, the same command finishes it; and an uninstall leaves the Pi as it was."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from lanpi.deploy.session import Session
from lanpi.hosts import ConnectOptions, open_host, parse_target
from lanpi.progress import Silent

# What makes a system's state: packages, ports, units, and files but for logs, caches and what every boot writes.
SNAPSHOT = r"""
dpkg -l | awk '/^[a-z][a-z]/ {print "package", $1, $2}'
ss -Hltn | awk '{print "port", $4}'
systemctl list-unit-files --no-legend --no-pager | awk '$1 !~ /scope$/ {print "unit", $1, $2}'
find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/cache \
  -o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/ucf \) -prune -o -printf 'file %p\n'
"""


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("cut", model="3b+")


@pytest.fixture(scope="module")
def before(pi, on_pi):
    return set(on_pi(pi, SNAPSHOT, root=True).stdout.splitlines())


def start_install(pi, *options):
    return subprocess.Popen(
        [sys.executable, "-m", "lanpi", "install", f"virtual:{pi.name}", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(process, text, seconds=120):
    """Read a running command's output up to a line with ``text``."""
    deadline = time.monotonic() + seconds
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
        assert time.monotonic() < deadline, seen
    pytest.fail(f"it ended before {text!r}: {seen}")


def test_killed_while_packages_install_then_power_cut_then_finished(pi, before, lanpi, on_pi):
    process = start_install(pi)
    wait_for(process, "Installing packages")
    deadline = time.monotonic() + 120
    while on_pi(pi, "pgrep -x dpkg", check=False).returncode != 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert lanpi("virtual", "kill", pi.name).returncode == 0
    assert lanpi("virtual", "start", pi.name).returncode == 0
    done = lanpi("install", f"virtual:{pi.name}", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    assert "messages are delivered" in done.stdout


def test_ctrl_c_says_that_the_same_command_goes_on(pi, lanpi):
    # With a setting that differs: where nothing does, there are no services to start.
    process = start_install(pi, "--set", "im.upload_max_mb=60")
    wait_for(process, "Starting the services")
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    done = lanpi("install", f"virtual:{pi.name}", "--json")
    assert done.returncode == 0, done.stderr


def test_a_connection_that_is_cut_in_the_middle_is_made_again(pi, on_pi):
    process = start_install(pi, "--set", "im.upload_max_mb=61")
    wait_for(process, "Writing the configuration")
    on_pi(pi, "pkill -f pi@notty", root=True, check=False)  # every SSH session, this one too
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert "connecting again" in output
    assert "messages are delivered" in output


def test_a_pending_restart_survives_an_interruption(pi, lanpi, on_pi):
    """A file was written and the power went before its service was restarted: the next run restarts it."""
    edit = (
        "import json; p = '/var/lib/lanpi/state.json'; s = json.load(open(p));"
        "s['pending'] = {'redis-server.service': 'restart'}; json.dump(s, open(p, 'w'))"
    )
    on_pi(pi, f'python3 -c "{edit}"', root=True)
    done = lanpi("install", f"virtual:{pi.name}", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["changed"] == ["restart redis-server.service"]


def test_the_second_of_two_installs_is_told_who_holds_the_lock(pi, lanpi):
    with open_host(parse_target(f"virtual:{pi.name}"), ConnectOptions()) as host, Session(host).lease(Silent()):
        done = lanpi("install", f"virtual:{pi.name}")
    assert done.returncode == 5
    assert "another lanpi is running:" in done.stderr
    assert "since 20" in done.stderr


def test_a_dead_holders_lock_is_taken_over(pi, lanpi, on_pi):
    stale = (
        "import json, os, time; os.makedirs('/run/lanpi', exist_ok=True);"
        "json.dump({'token': 'x', 'holder': 'eve@laptop', 'since': '2026-01-01 00:00:00',"
        " 'renewed': time.monotonic() - 3600}, open('/run/lanpi/lock', 'w'))"
    )
    on_pi(pi, f'python3 -c "{stale}"', root=True)
    done = lanpi("install", f"virtual:{pi.name}")
    assert done.returncode == 0, done.stderr
    assert "took over from eve@laptop" in done.stderr


def test_uninstall_asks_first(pi, lanpi):
    done = lanpi("uninstall", f"virtual:{pi.name}")
    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_uninstall_keeps_the_data_and_an_install_finds_it_again(pi, lanpi, on_pi, tmp_path):
    target = f"virtual:{pi.name}"
    assert lanpi("user", "add", "anna", target, "--generate", "--password-file", str(tmp_path / "p")).returncode == 0
    ca = on_pi(pi, "sha256sum /etc/lanpi/tls/ca.crt", root=True).stdout
    done = lanpi("uninstall", target, "--yes", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    assert "Kept: /var/lib/ejabberd" in done.stdout
    assert on_pi(pi, "systemctl is-active ejabberd redis-server", check=False).stdout.split() == [
        "inactive",
        "inactive",
    ]
    done = lanpi("install", target, timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    accounts = json.loads(lanpi("user", "list", target, "--json").stdout)["accounts"]
    assert f"anna@{pi.name}.local" in [account["address"] for account in accounts]
    assert on_pi(pi, "sha256sum /etc/lanpi/tls/ca.crt", root=True).stdout == ca


def test_uninstall_with_purge_leaves_the_pi_as_it_was(pi, before, lanpi, on_pi):
    done = lanpi("uninstall", f"virtual:{pi.name}", "--yes", "--purge", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    after = set(on_pi(pi, SNAPSHOT, root=True).stdout.splitlines())
    assert before - after == set()
    assert after - before == set()
