"""Becoming root with sudo, with or without a password, without ever leaving one where it can be read.

``sudo -S`` reads the password from standard input - unless sudo does not ask, in which case the line
would go to the command. So it is found out once whether sudo asks, and where it does, ``-k`` makes it
ask every time (sudo(8): "ignore the user's cached credentials").
"""

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed

Answer = Literal["free", "password", "refused", "missing"]
_PASSWORD_FREE = ["sudo", "-k", "-n", "--", "true"]
_WITH_PASSWORD = ["sudo", "-k", "-S", "-p", "", "--"]
_NOT_FOUND = 127


class RunCommand(Protocol):
    """Runs a command as it is, without root."""

    def __call__(self, argv: Sequence[str], stdin: bytes, timeout_seconds: float | None = None) -> Completed: ...


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
        """Whether root is to be had."""
        return self._find_out(run) in ("free", "password")

    def wrap(self, argv: Sequence[str], stdin: bytes, run: RunCommand, host: str) -> tuple[list[str], bytes]:
        """The command and its input as root.

        Raises:
            LanpiError: REFUSED when root is not to be had; says why and what to do.
        """
        match self._find_out(run):
            case "free":
                return ["sudo", "-n", "--", *argv], stdin
            case "password":
                return [*_WITH_PASSWORD, *argv], f"{self._password}\n".encode() + stdin
            case "missing":
                raise LanpiError(
                    "there is no sudo, and this login is not root",
                    host=host,
                    next_step="Log in as root, or install sudo there",
                    exit_code=ExitCode.REFUSED,
                )
            case _:
                raise LanpiError(
                    f"sudo refused: {self._reason}",
                    host=host,
                    next_step="Give the right password (--sudo-password-file or LANPI_SUDO_PASSWORD), or use a "
                    "login that may run sudo",
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
            self._reason = "it asks for a password and none was given"
            return "refused"
        # The marker tells a command that ran from a sudo that refused, in any language.
        tried = run([*_WITH_PASSWORD, "echo", "lanpi-is-root"], f"{self._password}\n".encode())
        if tried.exit_status == 0 and b"lanpi-is-root" in tried.stdout:
            return "password"
        # With one wrong line sudo asks again and finds the end of input; a user without rights gets its
        # own message. LC_ALL=C would have to pass through sshd, so the text is shown, not interpreted.
        said = [line for line in tried.error_text.splitlines() if line.strip()]
        self._reason = said[-1].strip() if said else "wrong password"
        return "refused"
