"""From a fresh Pi to the first message, and all that must hold afterwards; each test builds on the ones before."""

import json
import re
import socket
import time

import pytest

from .xmpp_peer import exchange

PUBLIC_TCP = {22, 80, 443, 5222, 5223}


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("install", model="3b+")


@pytest.fixture(scope="module")
def target(pi):
    return f"virtual:{pi.name}"


@pytest.fixture(scope="module")
def installed(pi, target, lanpi, tmp_path_factory):
    """The Pi after its first install, with what that printed and the administrator's password."""
    password = tmp_path_factory.mktemp("secrets") / "admin"
    done = lanpi("install", target, "--admin-password-file", str(password), timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    return done, password


def outcome(done):
    """The last event of an ``install --json``."""
    return json.loads(done.stdout.splitlines()[-1])


def test_check_on_a_fresh_pi_touches_nothing(pi, target, lanpi, on_pi):
    before = on_pi(pi, "dpkg -l | md5sum; find /etc /usr/lib /var/lib -newer /proc/1 -type f | sort | md5sum").stdout
    done = lanpi("install", target, "--check", timeout_seconds=300)
    assert done.returncode == 0, done.stderr
    assert "+++ /etc/ejabberd/ejabberd.yml" in done.stdout
    assert "nothing was changed" in done.stdout
    after = on_pi(pi, "dpkg -l | md5sum; find /etc /usr/lib /var/lib -newer /proc/1 -type f | sort | md5sum").stdout
    assert after == before


def test_install_says_what_to_do_next(installed, pi, target):
    done, password = installed
    assert f"{pi.name}.local is ready, and messages are delivered." in done.stdout
    assert f"lanpi user add NAME {target}" in done.stdout
    assert password.stat().st_mode & 0o777 == 0o600
    assert password.read_text().strip() not in done.stdout + done.stderr


def test_another_xmpp_client_sends_receives_and_finds_the_archive(installed, pi, target, lanpi, tmp_path):
    for name in ("anna", "ben"):
        done = lanpi("user", "add", name, target, "--generate", "--password-file", str(tmp_path / name))
        assert done.returncode == 0, done.stderr
    assert lanpi("ca", target, "--output", str(tmp_path / "ca.crt")).returncode == 0
    people = [(f"{name}@{pi.name}.local", (tmp_path / name).read_text().strip()) for name in ("anna", "ben")]
    seen = exchange(pi.address, tmp_path / "ca.crt", people[0], people[1], "Grüße aus der Werkstatt <&>")
    assert seen.bodies == ["Grüße aus der Werkstatt <&>"]
    assert "Grüße aus der Werkstatt <&>" in seen.archived
    listed = json.loads(lanpi("user", "list", target, "--json").stdout)
    assert [account["address"] for account in listed["accounts"]] == [
        f"{name}@{pi.name}.local" for name in ("admin", "anna", "ben")
    ]


def test_a_second_install_changes_nothing_and_says_so(installed, target, lanpi):
    done = lanpi("install", target, "--json")
    assert done.returncode == 0, done.stderr
    assert outcome(done)["changed"] == []
    assert "Nothing to change" in lanpi("install", target).stdout


def test_only_the_services_in_use_answer_the_network(installed, pi, on_pi):
    listening = on_pi(pi, "ss -Hltn", root=True).stdout
    for line in listening.splitlines():
        address, _, port = line.split()[3].rpartition(":")
        assert address.strip("[]") in ("127.0.0.1", "::1", "::ffff:127.0.0.1") or int(port) in PUBLIC_TCP, line
    for port in (1883, 4369, 5269, 5280, 5432, 5443, 6379):
        with socket.socket() as probe:
            probe.settimeout(1)
            assert probe.connect_ex((pi.address, port)) != 0, f"port {port} answers"
    on_pi(pi, "nft list table inet lanpi", root=True)


def test_the_admin_interface_is_closed_to_other_users_of_the_pi(installed, pi, on_pi):
    script = (
        "import http.client, ssl; unverified = ssl._create_unverified_context();"
        "c = http.client.HTTPSConnection('127.0.0.1', context=unverified);"
        "c.request('POST', '/api/registered_users', '{}'); print(c.getresponse().status)"
    )
    assert on_pi(pi, f'python3 -c "{script}"').stdout.strip() == "404"
    assert on_pi(pi, "/usr/lib/lanpi/im-call status", check=False).returncode == 2
    assert "is started" in on_pi(pi, "/usr/lib/lanpi/im-call status", root=True).stdout


def test_ejabberd_runs_in_a_sandbox(installed, pi, on_pi):
    said = on_pi(pi, "systemd-analyze security ejabberd --no-pager", root=True).stdout
    exposure = float(re.search(r"exposure level for ejabberd.service: ([\d.]+)", said)[1])
    assert exposure <= 3.0


def test_sqlite_is_in_wal_mode_and_redis_holds_the_sessions(installed, pi, on_pi):
    script = (
        "import sqlite3; database = sqlite3.connect('/var/lib/ejabberd/ejabberd.db');"
        "print(database.execute('pragma journal_mode').fetchone()[0])"
    )
    assert on_pi(pi, f'python3 -c "{script}"', root=True).stdout.strip() == "wal"
    password = json.loads(on_pi(pi, "cat /etc/lanpi/secrets.json", root=True).stdout)["redis_password"]
    keys = on_pi(pi, f"REDISCLI_AUTH={password} redis-cli --raw keys '*'", root=True).stdout
    assert "ejabberd:route" in keys
    assert "NOAUTH" in on_pi(pi, "redis-cli ping").stdout


def test_the_certificate_names_domain_host_and_address(installed, pi, on_pi):
    names = on_pi(pi, "openssl x509 -in /etc/lanpi/tls/server.pem -noout -ext subjectAltName", root=True).stdout
    for name in (f"DNS:{pi.name}.local", f"DNS:{pi.name}", f"IP Address:{pi.address}"):
        assert name in names
    assert on_pi(pi, "stat -c %a /etc/lanpi/tls/ca.key", root=True).stdout.strip() == "600"
    fetched = on_pi(
        pi, "python3 -c \"import urllib.request as r; print(r.urlopen('http://127.0.0.1/ca.crt').read().decode())\""
    )
    assert "BEGIN CERTIFICATE" in fetched.stdout
    assert "PRIVATE KEY" not in fetched.stdout


def test_a_renewed_certificate_reaches_new_connections_and_drops_no_session(installed, pi, on_pi):
    def serial():
        return on_pi(
            pi, "openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -serial"
        ).stdout

    before, pid = serial(), on_pi(pi, "systemctl show -p MainPID ejabberd").stdout
    on_pi(pi, "rm /etc/lanpi/tls/names && systemctl start lanpi-tls.service", root=True)
    # nginx takes it a moment later: its reload is queued behind the unit that made the certificate.
    deadline = time.monotonic() + 20
    while serial() == before:
        assert time.monotonic() < deadline, "new connections still get the old certificate"
        time.sleep(0.2)
    assert on_pi(pi, "systemctl show -p MainPID ejabberd").stdout == pid


def test_secrets_stay_on_the_pi(installed, pi, target, lanpi, on_pi, tmp_path, monkeypatch):
    secrets = json.loads(on_pi(pi, "cat /etc/lanpi/secrets.json", root=True).stdout)
    assert on_pi(pi, "stat -c %a /etc/lanpi/secrets.json", root=True).stdout.strip() == "600"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    on_pi(pi, "sed -i 's/^requirepass .*/requirepass wrong/' /etc/redis/redis.conf", root=True)
    done = lanpi("install", target, "--check", "-v")
    log = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    assert "redis.conf" in done.stdout
    assert "@LANPI_SECRET:redis_password@" in done.stdout
    for value in (*secrets.values(), pi.password):
        assert value not in done.stdout + done.stderr + log
    assert lanpi("install", target).returncode == 0  # and the drift is fixed


def test_a_changed_setting_shows_as_an_exact_diff_and_restarts_only_what_it_must(installed, pi, target, lanpi, on_pi):
    done = lanpi("install", target, "--set", "im.upload_max_mb=77", "--check")
    changed = [line for line in done.stdout.splitlines() if re.match(r"^[+-](?![+-])", line)]
    # In ejabberd's configuration, twice in the web server's, and in that of the drill's second server.
    limit = [f"-    max_size: {50 * 1048576}", f"+    max_size: {77 * 1048576}"]
    body = ["-            client_max_body_size 50m;", "+            client_max_body_size 77m;"]
    assert changed == ["+  upload_max_mb: 77", *limit, *body, *body, *limit]
    assert "would restart ejabberd.service" in done.stdout
    redis = on_pi(pi, "systemctl show -p ActiveEnterTimestamp redis-server").stdout
    done = lanpi("install", target, "--set", "im.upload_max_mb=77", "--json")
    assert outcome(done)["changed"] == [
        "/etc/lanpi/lanpi.yml",
        "/etc/ejabberd/ejabberd.yml",
        "/etc/nginx/nginx.conf",
        "/etc/lanpi/drill.yml",
        "restart ejabberd.service",
        "reload nginx.service",
    ]
    assert on_pi(pi, "systemctl show -p ActiveEnterTimestamp redis-server").stdout == redis
    # The Pi remembers: a later run without the option keeps it.
    assert outcome(lanpi("install", target, "--json"))["changed"] == []


def test_with_nothing_to_do_nothing_runs_and_every_entry_says_why(installed, target, lanpi):
    done = lanpi("install", target, "--json")
    assert done.returncode == 0, done.stderr
    said = outcome(done)
    assert all(entry["reason"] and not entry["differs"] for entry in said["plan"])
    assert {entry["kind"] for entry in said["plan"]} == {"package", "source", "tree", "file", "owner", "unit"}
    steps = [event["step"] for event in map(json.loads, done.stdout.splitlines()) if event["event"] == "step"]
    assert "Starting the services" not in steps
    checked = lanpi("install", target, "--check")
    assert re.search(r"Nothing would change: .* files and \d+ units are as they should be\.", checked.stdout)


def test_wrong_owners_and_modes_are_named_and_put_right(installed, pi, target, lanpi, on_pi):
    """Nothing saw that ejabberd could read its certificate and its database no more."""
    spoil = "chmod 600 {0}/server.pem; chown root:root {1} {0}/server.pem; chmod 644 {0}/ca.key /etc/lanpi/secrets.json"
    on_pi(pi, spoil.format("/etc/lanpi/tls", "/var/lib/ejabberd/ejabberd.db"), root=True)
    checked = lanpi("install", target, "--check", "-v")
    assert "/var/lib/ejabberd/ejabberd.db: it belongs to root:root, not to ejabberd:ejabberd" in checked.stderr
    done = lanpi("install", target, "--json")
    assert done.returncode == 0, done.stderr
    assert outcome(done)["changed"] == [
        "/etc/lanpi/secrets.json",
        "/etc/lanpi/tls/ca.key",
        "/etc/lanpi/tls/server.pem",
        "/var/lib/ejabberd/ejabberd.db",
        "restart ejabberd.service",
    ]
    stat = "stat -c '%a %U:%G' /etc/lanpi/tls/server.pem /etc/lanpi/tls/ca.key /var/lib/ejabberd/ejabberd.db"
    assert on_pi(pi, stat, root=True).stdout.splitlines() == [
        "640 root:ejabberd",
        "600 root:root",
        "600 ejabberd:ejabberd",
    ]
    # The unit that makes the certificate sees to it as well: at each boot, and every day.
    on_pi(pi, "chmod 644 /etc/lanpi/tls/server.pem; systemctl start lanpi-tls.service", root=True)
    assert on_pi(pi, "stat -c %a /etc/lanpi/tls/server.pem", root=True).stdout.strip() == "640"


def test_the_domain_cannot_change(installed, target, lanpi):
    done = lanpi("install", target, "--set", "domain=other.example")
    assert done.returncode == 2
    assert "its addresses cannot be moved to other.example" in done.stderr


def test_everything_comes_back_after_a_power_cut(installed, pi, target, lanpi, on_pi):
    assert lanpi("virtual", "kill", pi.name).returncode == 0
    assert lanpi("virtual", "start", pi.name).returncode == 0
    done = lanpi("install", target, "--json")
    assert done.returncode == 0, done.stderr
    assert outcome(done)["changed"] == []
    assert [
        a["address"].split("@")[0] for a in json.loads(lanpi("user", "list", target, "--json").stdout)["accounts"]
    ] == [
        "admin",
        "anna",
        "ben",
    ]


def test_the_server_comes_back_after_every_crash(installed, pi, on_pi):
    wait = 'for i in $(seq 60); do [ -n "$(ss -Hltn sport = :5222)" ] && exit 0; sleep 0.5; done; exit 1'
    for _ in range(3):
        on_pi(pi, "systemctl kill -s KILL ejabberd.service; sleep 0.2", root=True)
        on_pi(pi, wait)


def test_a_person_can_be_removed(installed, pi, target, lanpi):
    refused = lanpi("user", "remove", "ben", target)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert lanpi("user", "remove", "ben", target, "--yes").returncode == 0
    gone = lanpi("user", "remove", "ben", target, "--yes")
    assert gone.returncode == 2
    assert "there is no account ben@" in gone.stderr
