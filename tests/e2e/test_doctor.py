"""Break an installed Pi for real; doctor names the cause, and --fix fixes what it can."""

import asyncio
import json
import subprocess
import sys
import tarfile
import time

import pytest

from lanpi.pi.xmpp.client import AuthFailed, Client, Login, StreamFailed
from lanpi.virtual import VirtualPi

STOLEN_PORT = (
    "systemctl stop ejabberd; systemd-run -q --unit=thief python3 -c "
    '"import socket,time;s=socket.socket(10);s.setsockopt(1,2,1);s.bind((chr(58)*2,5222));s.listen();time.sleep(300)";'
    " systemctl start --no-block ejabberd"
)
EXPIRED = (
    "cd /etc/lanpi/tls && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout /tmp/k -out /tmp/c "
    "-not_before 20200101000000Z -not_after 20200201000000Z -addext subjectAltName=DNS:x 2>/dev/null"
    " && cat /tmp/c /tmp/k > server.pem; rm /tmp/k /tmp/c"
)
KILL_LOOP = (
    "for i in 1 2 3 4; do for t in $(seq 80); do p=$(systemctl show -P MainPID ejabberd);"
    ' [ "$p" != 0 ] && break; sleep 0.25; done; systemctl kill -s KILL ejabberd; done; true'
)
# The card of this Pi is a file of a bounded size: what fills it fills nothing else.
WRONG_OWNER = (
    "chown root:root /etc/lanpi/tls/server.pem; chmod 600 /etc/lanpi/tls/server.pem;"
    " systemctl restart --no-block ejabberd; sleep 3"
)
FULL = (
    "cd /var/cache/apt/archives/partial && fallocate -l $(($(df --output=avail / | tail -1) - 2000))K big_1_all.deb;"
    " dd if=/dev/zero of=more_1_all.deb bs=64k 2>/dev/null; test $(df --output=avail / | tail -1) -lt 1000"
)
HALF_CONFIGURED = """
mkdir -p /tmp/half/DEBIAN && cd /tmp
printf 'Package: lanpi-half\\nVersion: 1\\nArchitecture: all\\n' > half/DEBIAN/control
printf 'Maintainer: x <x@x>\\nDescription: x\\n' >> half/DEBIAN/control
printf '#!/bin/sh\\n[ -e /tmp/half.tried ] || { touch /tmp/half.tried; exit 1; }\\n' > half/DEBIAN/postinst
chmod 755 half/DEBIAN/postinst && dpkg-deb -b half half.deb && ! dpkg -i half.deb
"""
# A container has its host's clock and may not set it, so here it is the operator's that is two hours ahead.
AHEAD = (
    "import sys, time; real = time.time; time.time = lambda: real() + 7200; from lanpi.cli.main import main;"
    " sys.argv[0] = 'lanpi'; main()"
)


@pytest.fixture(scope="module")
def pi(virtual_pi, lanpi) -> VirtualPi:
    made = virtual_pi("doctor", card_mb=3000)
    done = lanpi("install", f"virtual:{made.name}", "--yes")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def diagnose(pi, lanpi):
    def run(*options):
        done = lanpi("doctor", f"virtual:{pi.name}", "--json", *options)
        return json.loads(done.stdout.splitlines()[-1])["findings"]

    return run


def wait_for(look, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(1)
    return found


@pytest.mark.parametrize(
    ("line", "check", "cause"),
    [
        ("systemctl stop redis-server", "redis", "it was stopped"),
        ("echo '# mine' >> /etc/redis/redis.conf", "drift", "have changed since lanpi placed"),
        (
            "echo '  broken: [' >> /etc/ejabberd/ejabberd.yml; systemctl restart --no-block ejabberd",
            "im",
            "configuration was changed",
        ),
        (EXPIRED, "certificate", "has expired"),
        (KILL_LOOP, "im", "keeps killing"),
        (FULL, "disk-full", "the disk is full"),
        (HALF_CONFIGURED, "packages", "half installed"),
        ("systemctl mask --now redis-server", "redis", "is masked"),
        (WRONG_OWNER, "ownership", "/etc/lanpi/tls/server.pem"),
    ],
    ids=[
        "redis-stopped",
        "file-changed",
        "configuration-broken",
        "certificate-expired",
        "killed-in-a-loop",
        "disk-full",
        "half-configured",
        "masked",
        "wrong-owner",
    ],
)
def test_it_names_the_cause_first_and_fixes_it(pi, on_pi, diagnose, line, check, cause):
    on_pi(pi, line, root=True)
    first = wait_for(lambda: next((f for f in diagnose()[:1] if f["id"] == check and cause in f["cause"]), None))
    assert first["evidence"]
    assert first["fixable"]
    after = next(finding for finding in diagnose("--fix", "--yes") if finding["id"] == check)
    assert after["state"] == "ok", after


def test_a_taken_port_is_named_with_its_holder(pi, on_pi, diagnose):
    on_pi(pi, STOLEN_PORT, root=True)
    try:
        first = wait_for(lambda: next((f for f in diagnose()[:1] if "5222 is held by python3" in f["cause"]), None))
        assert first["id"] == "im"
        assert not first["fixable"]
    finally:
        on_pi(pi, "systemctl stop thief; systemctl restart ejabberd", root=True)


def test_a_clock_that_is_behind_is_named(pi):
    def doctor(*options):
        return subprocess.run(
            [sys.executable, "-c", AHEAD, "doctor", f"virtual:{pi.name}", "--json", *options],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    first = json.loads(doctor().stdout.splitlines()[-1])["findings"][0]
    assert first["id"] == "clock"
    assert first["cause"].startswith("the Pi's clock is 2 h behind this machine's")
    assert first["fixable"]
    # Only root of a real machine may: what matters here is that it is tried, and that a failure is told.
    assert "date: cannot set date" in doctor("--fix", "--yes").stderr


def test_a_ban_is_lifted(pi, lanpi, diagnose, tmp_path):
    ca = tmp_path / "ca.crt"
    lanpi("ca", f"virtual:{pi.name}", "--output", str(ca))

    async def log_in():
        async with Client(Login("admin", f"{pi.name}.local", "wrong", host=pi.address, ca=str(ca))):
            pass

    # The twentieth may be told of the ban at once, or that its password is wrong.
    for _ in range(20):
        with pytest.raises((AuthFailed, StreamFailed)):
            asyncio.run(log_in())
    with pytest.raises(StreamFailed, match="policy-violation"):
        asyncio.run(log_in())
    found = next(finding for finding in diagnose() if finding["id"] == "logins")
    assert "20 failed logins" in found["evidence"][0]
    assert found["fixable"]
    diagnose("--fix", "--yes", "--only", "logins")
    with pytest.raises(AuthFailed):
        asyncio.run(log_in())


def test_without_root_it_tells_what_it_can(pi, lanpi):
    done = lanpi("doctor", f"virtual:{pi.name}", "--no-root", "--json")
    states = {each["id"]: (each["state"], each["cause"]) for each in json.loads(done.stdout)["findings"]}
    assert states["im"][0] == states["disk-full"][0] == "ok"
    assert states["drift"] == states["certificate"] == ("skipped", "not available without root")
    refused = lanpi("doctor", f"virtual:{pi.name}", "--no-root", "--fix")
    assert refused.returncode == 4, refused
    assert "need root" in refused.stderr


def test_a_report_holds_no_secret(pi, on_pi, lanpi, tmp_path):
    values = json.loads(on_pi(pi, "cat /etc/lanpi/secrets.json", root=True).stdout).values()
    on_pi(pi, "systemd-run -q --wait --unit=lanpi-leak cat /etc/lanpi/secrets.json", root=True)
    path = tmp_path / "report.tar.gz"
    done = lanpi("report", f"virtual:{pi.name}", "--output", str(path))
    assert done.returncode == 0, done.stderr
    with tarfile.open(path) as archive:
        texts = {member.name: archive.extractfile(member).read().decode() for member in archive.getmembers()}
    assert "lanpi-leak" in texts["lanpi-report/logs.txt"]
    for name, text in texts.items():
        assert not [value for value in values if value in text], name
