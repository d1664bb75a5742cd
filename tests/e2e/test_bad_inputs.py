"""Everything that can be wrong before an install: an exit code, one line that says what, and the next step."""

import shlex
import subprocess
import sys
import time

import pytest

from lanpi.virtual import container


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("bad", model="3b+", card_mb=3000)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An operator who has neither keys, an agent, pinned hosts nor passwords in the environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("SSH_AUTH_SOCK", "LANPI_SSH_PASSWORD", "LANPI_SUDO_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".ssh").mkdir()
    return tmp_path


@pytest.fixture
def as_root(pi):
    """Run a shell line on the Pi as root, without SSH."""

    def run(line):
        return container.inside(pi, ["sh", "-c", line])

    return run


def refused(done, code, *texts):
    """The command ended with a code, and its last line says these things."""
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == code, done.stderr
    assert last.startswith("lanpi: "), done.stderr
    for text in texts:
        assert text in last
    assert "Traceback" not in done.stderr


# The operator's own words come first: nothing is connected.


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--set", "domain=localhost"], ["domain:", "localhost"]),
        (["--set", "domain=192.168.1.5"], ["domain:", "IP address"]),
        (["--set", "im.archive_day=3"], ["im.archive_day", "archive_days"]),
        (["--set", "logs.max_mb=1"], ["logs.max_mb", "40"]),
        (["--config", "/nonexistent.yml"], ["/nonexistent.yml"]),
    ],
)
def test_wrong_settings(home, lanpi, arguments, texts):
    refused(lanpi("install", "pi@192.0.2.99", *arguments), 2, *texts)


def test_broken_yaml_is_shown_with_its_line(home, lanpi):
    (home / "lanpi.yml").write_text("im:\n  mqtt: [yes\nlogs: {}\n")
    refused(lanpi("install", "pi@192.0.2.99", "--config", str(home / "lanpi.yml")), 2, "lanpi.yml", "line 3")


def test_a_target_that_is_none(home, lanpi):
    refused(lanpi("install", "pi@host:99999"), 2, "is not a valid target", "USER@HOST")


# The network and the login.


def test_unreachable(home, pi, lanpi):
    nobody = pi.address.rpartition(".")[0] + ".250"
    refused(lanpi("install", f"pi@{nobody}", "--accept-new-host-key"), 3, "does not answer", "the Pi is on")


def test_no_such_name(home, lanpi):
    refused(lanpi("install", "pi@no-such-pi.invalid"), 3, "no-such-pi.invalid")


def test_refused_port(home, pi, lanpi):
    refused(lanpi("install", f"pi@{pi.address}:2"), 3, "nothing answers on port 2", "SSH")


def test_an_unknown_host_key_is_not_trusted_silently(home, pi, lanpi):
    refused(lanpi("install", f"{pi.user}@{pi.address}"), 4, "SHA256:", "--accept-new-host-key")
    assert not (home / "config/lanpi/known_hosts").exists()


def test_wrong_password(home, pi, lanpi, monkeypatch):
    monkeypatch.setenv("LANPI_SSH_PASSWORD", "not-the-password")
    done = lanpi("install", f"{pi.user}@{pi.address}", "--accept-new-host-key")
    refused(done, 4, f"login as {pi.user} was refused", "password")
    assert "not-the-password" not in done.stderr


def test_a_password_file_that_others_can_read(home, pi, lanpi):
    (home / "password").write_text(pi.password)
    (home / "password").chmod(0o644)
    done = lanpi("install", f"{pi.user}@{pi.address}", "--password-file", str(home / "password"))
    refused(done, 2, "other users can read", "chmod 600")


def test_a_login_that_may_not_become_root(home, pi, lanpi, as_root, monkeypatch):
    as_root("id guest 2>/dev/null || (useradd -m guest && echo guest:guests-own-password | chpasswd)")
    monkeypatch.setenv("LANPI_SSH_PASSWORD", "guests-own-password")
    refused(
        lanpi("install", f"guest@{pi.address}", "--accept-new-host-key"),
        4,
        "guest is not in the sudoers file",
        "allowed to use sudo",
    )


def test_wrong_sudo_password(home, pi, lanpi, monkeypatch):
    monkeypatch.setenv("LANPI_SUDO_PASSWORD", "not-the-password")
    done = lanpi("install", f"{pi.user}@{pi.address}", "--accept-new-host-key", "--identity", pi.key_path)
    refused(done, 4, "sudo refused: wrong password", "--sudo-password-file")


def test_password_login_and_ssh_config_are_honoured(home, pi, lanpi, monkeypatch):
    """A host alias from ~/.ssh/config, the password from the environment, sudo with the same password."""
    (home / ".ssh/config").write_text(f"Host kitchen\n  HostName {pi.address}\n  User {pi.user}\n")
    monkeypatch.setenv("LANPI_SSH_PASSWORD", pi.password)
    done = lanpi("install", "kitchen", "--accept-new-host-key", "--check", timeout_seconds=300)
    assert done.returncode == 0, done.stderr
    assert "nothing was changed" in done.stdout


def test_a_changed_host_key_is_refused_until_it_is_accepted(home, pi, lanpi, as_root, monkeypatch):
    target = f"{pi.user}@{pi.address}"
    login = ("--identity", pi.key_path)
    monkeypatch.setenv("LANPI_SUDO_PASSWORD", pi.password)
    assert lanpi("install", target, "--accept-new-host-key", "--check", *login).returncode == 0
    as_root("mkdir -p /root/keys && cp /etc/ssh/ssh_host_* /root/keys/")
    try:
        as_root(
            "rm /etc/ssh/ssh_host_*; ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key;"
            "systemctl restart ssh"
        )
        refused(lanpi("install", target, *login), 4, "host key has changed", "card", f"lanpi host accept-key {target}")
        assert lanpi("host", "accept-key", target, "--yes").returncode == 0
        assert lanpi("install", target, "--check", *login).returncode == 0
    finally:
        as_root("cp -p /root/keys/* /etc/ssh/; systemctl restart ssh")


# Preflight: nothing is changed.


def test_an_unsupported_system(pi, lanpi, as_root):
    slackware = "ID=slackware\\nVERSION_ID=15\\nVERSION_CODENAME=current\\nPRETTY_NAME=Slackware\\n"
    as_root("cp /etc/os-release /root/os-release; rm /etc/os-release")
    as_root(f"printf '{slackware}' > /etc/os-release")
    try:
        refused(lanpi("install", f"virtual:{pi.name}"), 5, "Slackware")
    finally:
        as_root("cp /root/os-release /etc/os-release")


def test_an_unreachable_mirror(pi, lanpi, as_root):
    as_root("cp -r /etc/apt/sources.list.d /root/; sed -i 's|^URIs: .*|URIs: http://127.0.0.1:9/debian|' "
            "/etc/apt/sources.list.d/*")  # fmt: skip
    try:
        refused(lanpi("install", f"virtual:{pi.name}"), 5, "mirror does not answer")
    finally:
        as_root("cp -r /root/sources.list.d /etc/apt/")


def test_a_taken_port_is_named_with_its_holder(pi, lanpi, as_root):
    as_root("systemd-run -q --unit taken python3 -m http.server 5222")
    try:
        deadline = time.monotonic() + 20
        while container.inside(pi, ["sh", "-c", "ss -Hltn sport = :5222"]).strip() == "":
            assert time.monotonic() < deadline
        refused(lanpi("install", f"virtual:{pi.name}"), 5, "5222", "python3")
    finally:
        as_root("systemctl stop taken")


def test_a_full_disk(pi, lanpi, as_root):
    as_root("fallocate -l $(( $(df --output=avail -B1 / | tail -1) - 500000000 )) /var/fill")
    try:
        refused(lanpi("install", f"virtual:{pi.name}"), 5, "free")
    finally:
        as_root("rm /var/fill")


HOLD_LOCK = (
    "import fcntl, os, time; f = os.open('/var/lib/dpkg/lock-frontend', os.O_RDWR | os.O_CREAT);"
    "fcntl.lockf(f, fcntl.LOCK_EX); time.sleep({seconds})"
)


def hold_lock(as_root, pi, seconds):
    as_root(f"systemd-run -q --unit upgrading python3 -c {shlex.quote(HOLD_LOCK.format(seconds=seconds))}")
    deadline = time.monotonic() + 20
    while container.inside(pi, ["sh", "-c", "grep -c POSIX /proc/locks || true"]).strip() == "0":
        assert time.monotonic() < deadline


def test_a_lock_held_for_ever_names_its_holder(pi, lanpi, as_root):
    hold_lock(as_root, pi, 600)
    try:
        refused(lanpi("install", f"virtual:{pi.name}", "--lock-wait", "3"), 1, "still locked by python3 (pid")
    finally:
        as_root("systemctl stop upgrading")


def test_a_lock_held_for_a_while_is_waited_for(pi, lanpi, as_root):
    hold_lock(as_root, pi, 15)
    done = lanpi("install", f"virtual:{pi.name}", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    assert "messages are delivered" in done.stdout


def test_where_lanpi_is_not_installed(virtual_pi, home, lanpi):
    bare = virtual_pi("bare")
    refused(lanpi("user", "list", f"virtual:{bare.name}"), 2, "lanpi is not installed on", "lanpi install")


def test_an_error_for_programs_is_json_too(home):
    done = subprocess.run(
        [sys.executable, "-m", "lanpi", "install", "virtual:nobody", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert '"exit_code": 2' in done.stdout
