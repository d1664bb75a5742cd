"""Break an installed Pi for real; doctor names the cause, and --fix mends what it can."""

import json
import tarfile
import time

import pytest

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


@pytest.fixture(scope="module")
def pi(virtual_pi, lanpi) -> VirtualPi:
    made = virtual_pi("doctor")
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
        ("echo '# mine' >> /etc/redis/redis.conf", "drift", "not as lanpi placed"),
        (
            "echo '  broken: [' >> /etc/ejabberd/ejabberd.yml; systemctl restart --no-block ejabberd",
            "im",
            "configuration was changed",
        ),
        (EXPIRED, "certificate", "has expired"),
        (KILL_LOOP, "im", "keeps killing"),
    ],
    ids=["redis-stopped", "file-changed", "configuration-broken", "certificate-expired", "killed-in-a-loop"],
)
def test_it_names_the_cause_first_and_mends_it(pi, on_pi, diagnose, line, check, cause):
    on_pi(pi, line, root=True)
    first = wait_for(lambda: next((f for f in diagnose()[:1] if f["id"] == check and cause in f["cause"]), None))
    assert first["evidence"]
    assert first["mendable"]
    after = next(finding for finding in diagnose("--fix", "--yes") if finding["id"] == check)
    assert after["state"] == "ok", after


def test_a_taken_port_is_named_with_its_holder(pi, on_pi, diagnose):
    on_pi(pi, STOLEN_PORT, root=True)
    try:
        first = wait_for(lambda: next((f for f in diagnose()[:1] if "5222 is held by python3" in f["cause"]), None))
        assert first["id"] == "im"
        assert not first["mendable"]
    finally:
        on_pi(pi, "systemctl stop thief; systemctl restart ejabberd", root=True)


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
