"""``lanpi host``: names, and a reflashed Pi's new key, shown by a real SSH server on loopback."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import paramiko
import pytest

from lanpi.cli.main import run
from lanpi.errors import ExitCode
from lanpi.hosts.known_hosts import HostKey, KnownHosts

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@contextmanager
def machine(key: paramiko.PKey, port: int = 0) -> Iterator[int]:
    """An SSH server that shows a key; fails at the end if anybody tried to log in. Yields its port."""
    logins: list[str] = []

    class Closed(paramiko.ServerInterface):
        def get_allowed_auths(self, username: str) -> str:
            logins.append(username)
            return "none"

    with socket.create_server(("127.0.0.1", port)) as listener:

        def serve() -> None:
            with suppress(OSError):  # the listener is closed at the end of the test
                while True:
                    transport = paramiko.Transport(listener.accept()[0])
                    transport.add_server_key(key)
                    with suppress(paramiko.SSHException, EOFError):
                        transport.start_server(server=Closed())
                    transport.join(5)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
    assert logins == []


def pinned(port: int) -> HostKey | None:
    return KnownHosts().get(f"[127.0.0.1]:{port}")


def test_names(capsys: Capture) -> None:
    assert run(["host", "list"]) == 0
    assert "There are no names" in capsys.readouterr().out
    assert run(["host", "add", "kitchen", "pi@10.0.0.5"]) == 0
    assert run(["host", "add", "kitchen", "pi@10.0.0.6"]) == 0
    assert capsys.readouterr().out.endswith("kitchen now stands for pi@10.0.0.6, no longer for pi@10.0.0.5\n")
    assert run(["host", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"kitchen": "pi@10.0.0.6"}
    assert run(["host", "remove", "kitchen"]) == 0
    assert run(["host", "remove", "kitchen"]) == ExitCode.BAD_INPUT


@pytest.mark.parametrize("words", [["local", "pi@a"], ["Big", "pi@a"], ["kitchen", "no target"]])
def test_bad_names_and_targets(words: list[str]) -> None:
    assert run(["host", "add", *words]) == ExitCode.BAD_INPUT


def test_a_new_key_is_shown_beside_the_old_and_accepted(capsys: Capture) -> None:
    key = paramiko.ECDSAKey.generate()
    old = HostKey("ssh-ed25519", "b2xk")
    with machine(key) as port:
        KnownHosts().pin(f"[127.0.0.1]:{port}", old)
        assert run(["host", "accept-key", f"pi@127.0.0.1:{port}", "--yes"]) == 0
        new = pinned(port)
    assert new == HostKey(key.get_name(), key.get_base64())
    out, err = capsys.readouterr()
    assert old.fingerprint in err
    assert new.fingerprint in err
    assert new.fingerprint in out


def test_without_an_answer_the_old_key_stays(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    old = HostKey("ssh-ed25519", "b2xk")
    with machine(paramiko.ECDSAKey.generate()) as port:
        KnownHosts().pin(f"[127.0.0.1]:{port}", old)
        assert run(["host", "accept-key", f"pi@127.0.0.1:{port}"]) == ExitCode.BAD_INPUT
        assert pinned(port) == old
    assert "--yes" in capsys.readouterr().err


def test_the_same_key_again_changes_nothing(capsys: Capture) -> None:
    key = paramiko.ECDSAKey.generate()
    with machine(key) as port:
        KnownHosts().pin(f"[127.0.0.1]:{port}", HostKey(key.get_name(), key.get_base64()))
        assert run(["host", "accept-key", f"127.0.0.1:{port}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False


def test_a_machine_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert run(["host", "accept-key", f"pi@127.0.0.1:{port}"]) == ExitCode.UNREACHABLE


def test_this_machine_has_no_key() -> None:
    assert run(["host", "accept-key", "local"]) == ExitCode.BAD_INPUT
