"""Another machine by SSH: what its address means, and what ssh's words mean."""

import subprocess

import pytest


@pytest.fixture
def ssh(program, monkeypatch, tmp_path):
    module = program("ssh")
    monkeypatch.setattr(module, "FOLDER", tmp_path / ".ssh")
    monkeypatch.setattr(module, "KEY", tmp_path / ".ssh/id_ed25519")
    monkeypatch.setattr(module, "KNOWN_HOSTS", tmp_path / ".ssh/known_hosts")
    return module


@pytest.mark.parametrize(
    ("place", "user", "host", "port"),
    [
        ("sftp:pi@nas.local:/backup", "pi", "nas.local", 0),
        ("sftp:nas:backup", "", "nas", 0),
        ("sftp://pi@nas:2222//backup", "pi", "nas", 2222),
        ("sftp://nas/backup", "", "nas", 0),
        ("sftp:pi@[fd00::1]:/backup", "pi", "fd00::1", 0),
    ],
)
def test_addresses(ssh, place, user, host, port):
    assert ssh.address(place) == ssh.Address(user, host, port)


@pytest.mark.parametrize("place", ["sftp:nas", "sftp:", "/srv/backup", "rest:http://nas:8000/", "sftp://"])
def test_places_that_are_no_sftp_address(ssh, place):
    assert ssh.address(place) is None


BANNER = "@" * 59
CHANGED = (
    f"{BANNER}\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n{BANNER}\nHost key verification failed.\n"
)


@pytest.mark.parametrize(
    ("said", "state", "why"),
    [
        (
            "No ED25519 host key is known for nas and you have requested strict checking.\r\n"
            "Host key verification failed.\r\nConnection closed\r\n",
            "unknown",
            "No ED25519 host key is known for nas and you have requested strict checking.",
        ),
        (CHANGED, "changed", "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!"),
        (
            "pi@nas: Permission denied (publickey,password).\r\nConnection closed\r\n",
            "closed",
            "pi@nas: Permission denied (publickey,password).",
        ),
        (
            "ssh: Could not resolve hostname nas: Name or service not known\r\nConnection closed\r\n",
            "silent",
            "ssh: Could not resolve hostname nas: Name or service not known",
        ),
        ("", "silent", "it closed the connection"),
    ],
)
def test_what_ssh_says(ssh, said, state, why):
    assert ssh.understood(said) == ssh.Answer(state, why)


@pytest.mark.parametrize(
    ("said", "text", "kind"),
    [
        ("Host key verification failed.", "the host key of nas is not known to this Pi", "refused"),
        (CHANGED, "nas shows a different host key from the key that this Pi knows", "refused"),
        ("pi@nas: Permission denied (publickey).", "pi@nas does not let this Pi in", "refused"),
        ("ssh: connect to host nas port 22: Connection refused", "nas does not answer: .*Connection refused", "failed"),
    ],
)
def test_a_machine_that_does_not_open_says_why_instead_of_unexpected_eof(ssh, monkeypatch, said, text, kind):
    monkeypatch.setattr(ssh.subprocess, "run", lambda argv, **_: subprocess.CompletedProcess(argv, 255, "", said))
    with pytest.raises(ssh.Problem, match=text) as refused:
        ssh.require_open("sftp:pi@nas:/backup")
    assert refused.value.kind == kind


def test_a_host_key_is_pinned_once_and_only_if_it_is_one(ssh, monkeypatch):
    line = "nas ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBu3jmBhfMmJpLfFuzSrPO8dYbTqOQ0H4ZlYpGrlWTcH"
    for _ in range(2):
        ssh.pin(line)
    assert ssh.KNOWN_HOSTS.read_text() == f"{line}\n"
    assert ssh.KNOWN_HOSTS.stat().st_mode & 0o777 == 0o600
    assert ssh.fingerprint(line).endswith("(ED25519)")
    with pytest.raises(ssh.Problem):
        ssh.pin("nas ssh-ed25519 nonsense")
    assert ssh.KNOWN_HOSTS.read_text() == f"{line}\n"


def test_the_pis_key_is_made_once(ssh):
    public = ssh.public_key()
    assert public.startswith("ssh-ed25519 ")
    assert ssh.KEY.stat().st_mode & 0o777 == 0o600
    ssh.KEY.with_name("id_ed25519.pub").unlink()
    assert ssh.public_key().split()[:2] == public.split()[:2]
