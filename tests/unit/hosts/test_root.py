"""The way to root, with a sudo that is strict about what it is asked."""

import os
import selectors
import stat
import subprocess

import pytest

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed
from lanpi.hosts.passwords import Passwords
from lanpi.hosts.root import Root

SUDO = r"""#!/bin/sh
# A stand-in for sudo: knows the option lists that lanpi may use, asks for a password where MODE says so.
case "$MODE $*" in
    "free -k -n -- "*) shift 3; exec "$@" ;;
    "free -n -- "*) shift 2; exec "$@" ;;
    "free -k -S -p "*) shift 5; exec "$@" ;;
    "password -k -n -- "* | "denied -k -n -- "*) echo "a password is required" >&2; exit 1 ;;
    "password -k -S -p  -- "*) read -r line; [ "$line" = right ] || { echo "no password was provided" >&2; exit 1; }
        shift 5; exec "$@" ;;
    "denied -k -S -p "*) printf %s "$4" >&2; read -r line; echo "guest is not in the sudoers file." >&2; exit 1 ;;
    "password -k -S -p "* | "pam -k -S -p "*)
        prompt=$4; [ "$MODE" = pam ] && prompt="Code from your token: "
        for try in 1 2 3; do
            printf %s "$prompt" >&2
            read -r line || { echo "no password was provided" >&2; exit 1; }
            [ "$line" = right ] && { shift 5; exec "$@"; }
            echo "Sorry, try again." >&2
        done; exit 1 ;;
    *) echo "unexpected: $*" >&2; exit 99 ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Runs a command with the stand-in first on PATH; ``run.mode`` sets its mood."""
    (tmp_path / "sudo").write_text(SUDO)
    (tmp_path / "sudo").chmod(stat.S_IRWXU)

    def work(argv, stdin, timeout_seconds=None):
        path = f"{tmp_path}:{os.environ['PATH']}" if work.mode != "missing" else "/nonexistent"
        try:
            done = subprocess.run(
                argv, input=stdin, capture_output=True, check=False, env={"PATH": path, "MODE": work.mode}
            )
        except FileNotFoundError:
            return Completed("", 127, b"", b"")
        return Completed("", done.returncode, done.stdout, done.stderr)

    work.mode = "free"
    return work


def typing(*answers):
    """Passwords that somebody types; the last answer is repeated. None: there is no terminal."""
    asked = []

    def ask(prompt):
        asked.append(prompt)
        return answers[min(len(asked), len(answers)) - 1]

    passwords = Passwords(lambda: [], ask, "Password: ")
    passwords.asked = asked
    return passwords


def as_root(root, run, argv, stdin=b""):
    command, given = root.wrap(argv, stdin, run, "pi")
    return run(command, given)


def test_without_a_password_none_is_asked_for(run):
    passwords = typing("right")
    assert as_root(Root(passwords), run, ["cat"], b"input").stdout == b"input"
    assert passwords.asked == []


def test_with_a_password_the_commands_own_input_stays_whole(run):
    run.mode = "password"
    assert as_root(Root(typing("right")), run, ["cat"], b"input").stdout == b"input"


def test_the_password_is_asked_for_once(run):
    run.mode = "password"
    passwords = typing("right")
    root = Root(passwords)
    for _ in range(3):
        as_root(root, run, ["true"])
    assert len(passwords.asked) == 1


def test_a_wrong_password_may_be_typed_again(run):
    run.mode = "password"
    passwords = typing("wrong", "wrong", "right")
    assert as_root(Root(passwords), run, ["cat"], b"input").stdout == b"input"
    assert passwords.asked == ["Password: ", *["Sorry, try again. Password: "] * 2]


def test_a_login_without_the_right_to_sudo_is_not_asked_again(run):
    run.mode = "denied"
    passwords = typing("right")
    assert not Root(passwords).available(run)
    assert len(passwords.asked) == 1


def test_a_given_password_is_tried_before_anybody_is_asked(run):
    run.mode = "password"
    passwords = Passwords(lambda: [None, "right"], pytest.fail, "")
    assert as_root(Root(passwords), run, ["cat"], b"input").stdout == b"input"


@pytest.mark.parametrize(
    ("mode", "password", "said"),
    [
        ("password", "wrong", "no password was provided"),
        ("password", None, "no terminal to ask on.*--sudo-password-file"),
        ("denied", "right", "not in the sudoers file"),
        ("missing", "right", "sudo is not installed"),
    ],
)
def test_every_refusal_says_why(run, mode, password, said):
    run.mode = mode
    root = Root(typing(password))
    assert not root.available(run)
    with pytest.raises(LanpiError, match=said) as caught:
        root.wrap(["true"], b"", run, "pi")
    assert caught.value.exit_code is ExitCode.REFUSED


class Talk:
    """A process as a dialogue."""

    def __init__(self, argv, mode, folder):
        path = f"{folder}:{os.environ['PATH']}" if mode != "missing" else "/nonexistent"
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@"', "sh", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={"PATH": path, "MODE": mode},
        )  # fmt: skip
        self._ready = selectors.DefaultSelector()
        self._ready.register(self.process.stdout, selectors.EVENT_READ)

    def hear(self, seconds):
        return os.read(self.process.stdout.fileno(), 4096) if self._ready.select(seconds) else None

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def exit_status(self):
        return self.process.wait()

    def close(self):
        self._ready.close()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def enter(run, tmp_path, monkeypatch):
    """Becomes root for `cat` with the stand-in in some mood; the dialogues it began are in ``enter.talks``."""
    monkeypatch.setattr("lanpi.hosts.root._QUIET_SECONDS", 0.3)

    def work(root, mode):
        def start(argv):
            work.talks.append(Talk(argv, mode, tmp_path))
            return work.talks[-1]

        return root.enter(["cat"], start)

    work.talks = []
    yield work
    for talk in work.talks:
        talk.close()


@pytest.mark.parametrize(("mode", "asked"), [("free", 0), ("password", 1), ("pam", 1)])
def test_one_command_both_asks_and_becomes_root(run, enter, mode, asked):
    passwords = typing("right")
    root = Root(passwords)
    talk = enter(root, mode)
    assert talk
    talk.say(b"input")
    assert talk.hear(10) == b"input"
    assert (len(passwords.asked), len(enter.talks)) == (asked, 1)
    assert root.available(run)  # known by now, so the stand-in's own mood is not looked at


@pytest.mark.parametrize(
    ("mode", "password", "said"),
    [
        ("password", "wrong", "wrong password"),
        ("pam", "wrong", "wrong password"),
        ("password", None, "no terminal to ask on.*--sudo-password-file"),
        ("denied", "right", "not in the sudoers file"),
        ("missing", "right", "sudo is not installed"),
    ],
)
def test_every_refusal_on_the_way_says_why(run, enter, mode, password, said):
    root = Root(typing(password))
    assert enter(root, mode) is None
    assert not root.available(run)
    with pytest.raises(LanpiError, match=said) as caught:
        root.wrap(["true"], b"", run, "pi")
    assert caught.value.exit_code is ExitCode.REFUSED


def test_after_a_refusal_the_next_connection_asks_nobody(run, enter):
    passwords = typing("wrong")
    root = Root(passwords)
    assert enter(root, "password") is None
    assert enter(root, "password") is None
    assert len(passwords.asked) == 3


def test_three_typed_passwords_are_tried_after_the_given_one(run, enter):
    passwords = typing("wrong", "wrong", "right")
    passwords._given = lambda: ["given"]
    talk = enter(Root(passwords), "password")
    assert talk
    assert len(enter.talks) == 2  # the stand-in ends after three, as sudo does
    assert passwords.right == "right"
