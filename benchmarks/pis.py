"""Virtual Pis that serve: with lanpi's installation, with Debian's default ejabberd, with Debian's Prosody."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lanpi import virtual
from lanpi.virtual import VirtualPi, container

MODEL = "3b+"
PASSWORD = "load-of-the-bench"
PREFIX = "load"
_LONG_SECONDS = 1800
LOAD = Path(__file__).with_name("load.py")

# Written by an ordinary client of each server's own interface: accounts are made as an administrator makes them.
_REGISTER_LANPI = """
import json, subprocess
for first in range({first}, {last}, 500):
    calls = [["register", {{"user": f"{prefix}{{n}}", "host": "{domain}", "password": "{password}"}}]
             for n in range(first, min({last}, first + 500))]
    done = subprocess.run(["/usr/lib/lanpi/im-call", "batch"], input=json.dumps(calls), text=True, capture_output=True)
    assert all(status == 200 for status, _ in json.loads(done.stdout)), done.stdout[-300:] + done.stderr
"""
_REGISTER_DEBIAN = """
import http.client, json, ssl
connection = http.client.HTTPSConnection("127.0.0.1", 5443, context=ssl._create_unverified_context())
for n in range({first}, {last}):
    account = {{"user": f"{prefix}{{n}}", "host": "{domain}", "password": "{password}"}}
    connection.request("POST", "/api/register", json.dumps(account), {{"Content-Type": "application/json"}})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
"""
# Prosody takes a plain password from its file and hashes it at the first login (mod_auth_internal_hashed).
_REGISTER_PROSODY = """
import pathlib
folder = pathlib.Path("/var/lib/prosody") / "{domain}".replace(".", "%2e").replace("-", "%2d") / "accounts"
folder.mkdir(parents=True, exist_ok=True)
for n in range({first}, {last}):
    (folder / f"{prefix}{{n}}.dat").write_text('return {{ ["password"] = "{password}"; }};\\n')
"""
_CERTIFICATE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN={domain} "
    "-addext subjectAltName=DNS:{domain} -keyout /root/key.pem -out /root/cert.pem 2>/dev/null"
)
_DEBIAN = """
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -q && apt-get install -y -q ejabberd
{certificate}
cat /root/cert.pem /root/key.pem > /etc/ejabberd/ejabberd.pem
cd /etc/ejabberd
sed -i 's/^  - localhost/  - {domain}/; s/^      - connected_users_number/&\\n      - register/' ejabberd.yml
systemctl restart ejabberd
ejabberdctl started
"""
_PROSODY = """
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -q && apt-get install -y -q prosody
{certificate}
install -o prosody -m 600 /root/key.pem /etc/prosody/certs/{domain}.key
install -o prosody -m 644 /root/cert.pem /etc/prosody/certs/{domain}.crt
printf 'VirtualHost "{domain}"\\n' > /etc/prosody/conf.d/bench.cfg.lua
systemctl restart prosody
"""


@dataclass(frozen=True)
class Serving:
    """A virtual Pi with a server on it.

    Attributes:
        kind: lanpi, debian or prosody.
        pi: where it runs.
        ca: file on this machine to verify its certificate against.
        program: name of the server's process.
    """

    kind: str
    pi: VirtualPi
    ca: Path

    @property
    def domain(self) -> str:
        """What the accounts' addresses end in."""
        return f"{self.pi.name}.local"

    @property
    def program(self) -> str:
        """The name of the server's process."""
        return "lua5.4" if self.kind == "prosody" else "beam.smp"

    @property
    def unit(self) -> str:
        """Its systemd unit."""
        return "prosody" if self.kind == "prosody" else "ejabberd"


def shell(pi: VirtualPi, script: str) -> str:
    """Run a script as root in the Pi; what it printed."""
    return container.inside(pi, ["sh", "-c", script], timeout_seconds=_LONG_SECONDS)


def processes(pi: VirtualPi) -> dict[int, str]:
    """The Pi's processes as this machine sees them: id -> name."""
    leader = virtual.get(pi.name).leader_pid
    space = Path(f"/proc/{leader}/ns/pid").stat().st_ino
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "ns/pid").stat().st_ino == space:
                found[int(entry.name)] = (entry / "comm").read_text().strip()
        except (FileNotFoundError, PermissionError):
            continue  # it ended while we looked, or is not ours to look at and so no process of a Pi
    return found


def server_pid(serving: Serving) -> int:
    """The server's process on this machine."""
    found = [pid for pid, name in processes(serving.pi).items() if name == serving.program]
    if len(found) != 1:
        raise SystemExit(f"{serving.kind}: {len(found)} processes are called {serving.program}")
    return found[0]


def written_bytes(serving: Serving) -> int:
    """What the server, and its Redis where it has one, made the kernel send to the disk so far (proc(5))."""
    total = 0
    for pid, name in processes(serving.pi).items():
        if name in (serving.program, "redis-server"):
            lines = Path(f"/proc/{pid}/io").read_text().splitlines()
            total += int(dict(line.split(": ") for line in lines)["write_bytes"])
    return total


def restart(serving: Serving) -> None:
    """Start the server anew, so that no garbage of an earlier load is measured; returns when it serves."""
    wait = "" if serving.kind == "prosody" else " && ejabberdctl started"
    shell(serving.pi, f"systemctl daemon-reload && systemctl restart {serving.unit}{wait}")


def register(serving: Serving, accounts: int) -> None:
    """Make the accounts."""
    programs = {"lanpi": _REGISTER_LANPI, "debian": _REGISTER_DEBIAN, "prosody": _REGISTER_PROSODY}
    program = programs[serving.kind].format(
        first=0, last=accounts, prefix=PREFIX, domain=serving.domain, password=PASSWORD
    )
    shell(serving.pi, f"cat > /root/register.py <<'END'\n{program}\nEND\npython3 /root/register.py")
    if serving.kind == "prosody":
        shell(serving.pi, "chown -R prosody: /var/lib/prosody && systemctl restart prosody")


@contextmanager
def serving(kind: str, name: str, accounts: int) -> Iterator[Serving]:
    """A virtual Pi with that server and accounts; taken down at the end."""
    pi = virtual.up(name, model=MODEL)
    try:
        domain = f"{name}.local"
        certificate = _CERTIFICATE.format(domain=domain)
        if kind == "lanpi":
            subprocess.run(
                [sys.executable, "-m", "lanpi", "install", f"virtual:{name}", "--yes"], check=True, capture_output=True
            )
            text = shell(pi, "cat /etc/lanpi/tls/ca.crt")
        else:
            template = _DEBIAN if kind == "debian" else _PROSODY
            shell(pi, template.format(domain=domain, certificate=certificate))
            text = shell(pi, "cat /root/cert.pem")
        with tempfile.TemporaryDirectory() as folder:
            ca = Path(folder) / "ca.crt"
            ca.write_text(text)
            found = Serving(kind, pi, ca)
            register(found, accounts)
            yield found
    finally:
        virtual.down(name)


def load(target: Serving, sessions: int, *options: str) -> dict[str, object]:
    """Run benchmarks/load.py in a process of its own against the Pi; its report.

    Raises:
        SystemExit: it failed, lost messages or sessions; a figure of such a run means nothing.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".password") as password:
        password.write(PASSWORD)
        password.flush()
        done = subprocess.run(
            [
                *(sys.executable, str(LOAD), "--json", "--host", target.pi.address, "--domain", target.domain),
                *("--ca", str(target.ca), "--password-file", password.name, "--prefix", PREFIX),
                *("--server-pid", str(server_pid(target)), "--sessions", str(sessions), *options),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONG_SECONDS,
        )
    if done.returncode != 0:
        raise SystemExit(f"{target.kind}: the load failed: {done.stderr or done.stdout}")
    report: dict[str, object] = json.loads(done.stdout)
    return report


def idle_bytes_per_hour(targets: list[Serving], minutes: float) -> dict[str, float]:
    """What each server writes while nobody does anything, all watched during the same minutes."""
    before = {target.kind: written_bytes(target) for target in targets}
    began = time.monotonic()
    time.sleep(60 * minutes)
    hours = (time.monotonic() - began) / 3600
    return {target.kind: (written_bytes(target) - before[target.kind]) / hours for target in targets}
