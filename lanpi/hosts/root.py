"""Becoming root with sudo, with or without a password, without ever leaving one where it can be read.

``sudo -S`` reads the password from standard input - unless sudo does not ask, in which case the line
would go to the command. So it is found out once whether sudo asks, and where it does, ``-k`` makes it
ask every time (sudo(8): "ignore the user's cached credentials").

Over SSH, where each command costs round trips and each check of a password tenths of a second, finding out
and becoming root are one: a program is started through sudo, and the password said when sudo asks for it.
"""

import time
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed

Answer = Literal["free", "password", "refused", "missing"]
_PASSWORD_FREE = ["sudo", "-k", "-n", "--", "true"]
_WITH_PASSWORD = ["sudo", "-k", "-S", "-p", "", "--"]
_NOT_FOUND = 127
_NONE_GIVEN = "it needs a password, and there is none"
_PROMPT = "[lanpi: password of sudo]"
_THERE = b"lanpi-is-root\n"
_MOST_SECONDS = 60.0
"""From sudo's start to its answer; a wrong password alone takes it two seconds (pam_unix(8), "nodelay")."""
_QUIET_SECONDS = 2.0
"""A line that stays unfinished for so long is a question: PAM may ask with words of its own (sudo(8), "-p")."""


class RunCommand(Protocol):
    """Runs a command as it is, without root."""

    def __call__(self, argv: Sequence[str], stdin: bytes, timeout_seconds: float | None = None) -> Completed: ...


class Dialogue(Protocol):
    """A command under way that is listened and talked to."""

    def hear(self, seconds: float) -> bytes | None:
        """What it says on either of its outputs; b"" at its end, None when it is silent for so long."""
        ...

    def say(self, data: bytes) -> None:
        """Write to its standard input."""
        ...

    def exit_status(self) -> int:
        """After its end."""
        ...


class Root:
    """One way to root, found out once.

    Args:
        password: returns sudo's password, or None where none can be had; asked at most once.
    """

    def __init__(self, password: Callable[[], str | None]) -> None:
        self._ask_password = password
        self._password: str | None = None
        self._answer: Answer | None = None
        self._reason = ""

    def available(self, run: RunCommand) -> bool:
        """Whether root is available."""
        return self._find_out(run) in ("free", "password")

    def enter(self, argv: Sequence[str], start: Callable[[Sequence[str]], Dialogue]) -> Dialogue | None:
        """Start a command as root, and find out on the way whether sudo asks.

        Args:
            argv: the command; its standard output and input are the caller's from here on.
            start: starts a command as it is, both outputs in one.

        Returns:
            The command's dialogue, or None when root is not available: :meth:`wrap` says why.
        """
        said = start(["sudo", "-k", "-S", "-p", _PROMPT, "--", "/bin/sh", "-c", f"echo {_THERE.decode().strip()}; "
                      'exec "$@" 2>/dev/null', "sh", *argv])  # fmt: skip
        heard, asked = b"", False
        deadline = time.monotonic() + _MOST_SECONDS
        while time.monotonic() < deadline:
            more = said.hear(_QUIET_SECONDS)
            if more == b"":
                missing = said.exit_status() == _NOT_FOUND
                self._refuse(_last_line(heard), "missing" if missing else "refused")
                return None
            heard += more or b""
            if heard.endswith(_THERE):
                self._answer = "password" if asked else "free"
                return said
            if heard.endswith(_PROMPT.encode()) or (more is None and heard and not heard.endswith(b"\n")):
                if asked:
                    self._refuse(_last_line(heard.rpartition(b"\n")[0] or heard))
                    return None
                asked, heard = True, b""
                self._password = self._password or self._ask_password()
                if self._password is None:
                    self._refuse(_NONE_GIVEN)
                    return None
                said.say(f"{self._password}\n".encode())
                deadline = time.monotonic() + _MOST_SECONDS
        self._refuse("it did not answer")
        return None

    def _refuse(self, reason: str, answer: Answer = "refused") -> None:
        self._answer, self._reason = answer, reason or "wrong password"

    def wrap(self, argv: Sequence[str], stdin: bytes, run: RunCommand, host: str) -> tuple[list[str], bytes]:
        """The command and its input as root.

        Raises:
            LanpiError: REFUSED when root is not available; says why and what to do.
        """
        match self._find_out(run):
            case "free":
                return ["sudo", "-n", "--", *argv], stdin
            case "password":
                return [*_WITH_PASSWORD, *argv], f"{self._password}\n".encode() + stdin
            case "missing":
                raise LanpiError(
                    "sudo is not installed, and this login is not root",
                    host=host,
                    next_step="Log in as root, or install sudo on the Pi",
                    exit_code=ExitCode.REFUSED,
                )
            case _:
                raise LanpiError(
                    f"sudo refused: {self._reason}",
                    host=host,
                    next_step="Use the right password (--sudo-password-file or LANPI_SUDO_PASSWORD), or a login that "
                    "is allowed to use sudo",
                    exit_code=ExitCode.REFUSED,
                )

    def _find_out(self, run: RunCommand) -> Answer:
        if self._answer is None:
            self._answer = self._try(run)
        return self._answer

    def _try(self, run: RunCommand) -> Answer:
        free = run(_PASSWORD_FREE, b"")
        if free.exit_status == 0:
            return "free"
        if free.exit_status == _NOT_FOUND:
            return "missing"
        self._password = self._ask_password()
        if self._password is None:
            self._reason = _NONE_GIVEN
            return "refused"
        # The marker tells a command that ran from a sudo that refused, in any language.
        tried = run([*_WITH_PASSWORD, "echo", "lanpi-is-root"], f"{self._password}\n".encode())
        if tried.exit_status == 0 and b"lanpi-is-root" in tried.stdout:
            return "password"
        # With one wrong line sudo asks again and finds the end of input; a user without rights gets its
        # own message. LC_ALL=C would have to pass through sshd, so the text is shown, not interpreted.
        self._reason = _last_line(tried.stderr) or "wrong password"
        return "refused"


def _last_line(said: bytes) -> str:
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else ""
