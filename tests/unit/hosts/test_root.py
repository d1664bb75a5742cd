"""The way to root, with a sudo that is strict about what it is asked."""

import os
import stat
import subprocess

import pytest

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed
from lanpi.hosts.root import Root

SUDO = r"""#!/bin/sh
# A stand-in for sudo: knows the option lists that lanpi may use, asks for a password where MODE says so.
case "$MODE $*" in
    "free -k -n -- "*) shift 3; exec "$@" ;;
    "free -n -- "*) shift 2; exec "$@" ;;
    "password -k -n -- "* | "denied -k -n -- "*) echo "a password is required" >&2; exit 1 ;;
    "password -k -S -p  -- "*) read -r line; [ "$line" = right ] || { echo "no password was provided" >&2; exit 1; }
        shift 5; exec "$@" ;;
    "denied -k -S -p  -- "*) echo "guest is not in the sudoers file." >&2; exit 1 ;;
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


def as_root(root, run, argv, stdin=b""):
    command, given = root.wrap(argv, stdin, run, "pi")
    return run(command, given)


def test_without_a_password_none_is_asked_for(run):
    def never():
        pytest.fail("asked for a password")

    assert as_root(Root(never), run, ["cat"], b"input").stdout == b"input"


def test_with_a_password_the_commands_own_input_stays_whole(run):
    run.mode = "password"
    assert as_root(Root(lambda: "right"), run, ["cat"], b"input").stdout == b"input"


def test_the_password_is_asked_for_once(run):
    run.mode = "password"
    asked = []
    root = Root(lambda: asked.append(1) or "right")
    for _ in range(3):
        as_root(root, run, ["true"])
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("mode", "password", "said"),
    [
        ("password", "wrong", "no password was provided"),
        ("password", None, "none was given"),
        ("denied", "right", "not in the sudoers file"),
        ("missing", "right", "there is no sudo"),
    ],
)
def test_every_refusal_says_why(run, mode, password, said):
    run.mode = mode
    root = Root(lambda: password)
    assert not root.available(run)
    with pytest.raises(LanpiError, match=said) as caught:
        root.wrap(["true"], b"", run, "pi")
    assert caught.value.exit_code is ExitCode.REFUSED
