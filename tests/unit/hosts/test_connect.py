"""The way in over SSH: what is asked, how often, and what happens when the connection goes."""

from pathlib import Path

import pytest

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import ConnectOptions
from lanpi.hosts.connect import connect
from lanpi.hosts.known_hosts import KnownHosts
from lanpi.hosts.target import parse_target
from tests.unit.hosts.ssh_server import SshServer


@pytest.fixture(autouse=True)
def nothing_to_log_in_with(monkeypatch, tmp_path):
    """A newcomer's machine: no keys, no agent."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def server():
    listening = SshServer()
    yield listening
    listening.close()


class Asked:
    """Types what it is told to, and keeps the questions."""

    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    def __call__(self, question):
        self.questions.append(question)
        return self.answers.pop(0)


def reach(server, tmp_path, asked, **options):
    given = ConnectOptions(accept_new_host_key=True, ask_secret=asked, ssh_config=Path("/nonexistent"), **options)
    return connect(parse_target(f"pi@127.0.0.1:{server.port}"), given, KnownHosts(tmp_path / "known_hosts"))


def test_without_a_key_the_password_is_asked_for(server, tmp_path):
    asked = Asked("right")
    host = reach(server, tmp_path, asked)
    assert host.run(["echo", "in"]).text == "in\n"
    assert asked.questions == [f"Password of pi on pi@127.0.0.1:{server.port}: "]
    host.close()


def test_a_wrong_password_may_be_typed_again_twice(server, tmp_path):
    asked = Asked("wrong", "wrong too", "right")
    reach(server, tmp_path, asked).close()
    assert server.tried == ["wrong", "wrong too", "right"]
    assert asked.questions[1].startswith("Sorry, try again. Password of pi")


def test_after_three_wrong_ones_it_says_so(server, tmp_path):
    with pytest.raises(LanpiError, match=r"login as pi was refused .tried keys and passwords") as caught:
        reach(server, tmp_path, Asked("a", "b", "c"))
    assert caught.value.exit_code is ExitCode.REFUSED
    assert len(server.tried) == 3


def test_without_a_terminal_the_refusal_names_the_way_to_give_a_password(server, tmp_path):
    with pytest.raises(LanpiError, match=r"refused.*--password-file") as caught:
        reach(server, tmp_path, Asked(None))
    assert caught.value.exit_code is ExitCode.REFUSED


def test_where_only_keys_are_taken_nobody_is_asked(server, tmp_path):
    server.methods = "publickey"
    with pytest.raises(LanpiError, match="tried keys; it takes publickey"):
        reach(server, tmp_path, Asked())


def test_what_is_no_ssh_server_is_still_called_that(server, tmp_path):
    server.accepts = False
    with pytest.raises(LanpiError, match=r"SSH connection to port .* failed") as caught:
        reach(server, tmp_path, Asked())
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_lost_connection_is_made_again_without_a_question(server, tmp_path):
    asked = Asked("right")
    host = reach(server, tmp_path, asked)
    server.cut()
    host.disconnect()
    assert host.run(["echo", "back"]).text == "back\n"
    assert len(asked.questions) == 1
    host.close()


def test_a_command_that_was_under_way_is_not_repeated_but_the_next_one_works(server, tmp_path):
    host = reach(server, tmp_path, Asked("right"))
    server.cut_in = 1
    with pytest.raises(LanpiError, match="connection was lost") as caught:
        host.run(["echo", "once"])
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert server.ran == ["echo once"]
    assert host.run(["echo", "next"]).text == "next\n"
    host.close()


def test_a_file_that_was_under_way_is_written_again(server, tmp_path, monkeypatch):
    monkeypatch.setattr("lanpi.hosts.ssh.RETRY_SECONDS", 0.01)
    host = reach(server, tmp_path, Asked("right"))
    server.cut_in = 2
    host.put(str(tmp_path / "there"), b"content")
    assert (tmp_path / "there").read_bytes() == b"content"
    assert host.get(str(tmp_path / "there")) == b"content"
    host.close()


def test_a_closed_host_stays_closed(server, tmp_path):
    host = reach(server, tmp_path, Asked("right"))
    host.close()
    with pytest.raises(LanpiError, match="connection was lost"):
        host.run(["true"])
