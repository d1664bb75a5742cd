"""What lanpi can ask of a machine, wherever that machine is.

Commands receive a :class:`Host` and never learn whether it is this machine or one over SSH.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Completed:
    """A command that ended.

    Attributes:
        command: what was run, for messages (never holds a secret: those travel on stdin).
        exit_status: the process's status; 128 + N when signal N ended it.
        stdout: all it wrote to standard output.
        stderr: all it wrote to standard error.
    """

    command: str
    exit_status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text, undecodable bytes replaced."""
        return self.stdout.decode(errors="replace")

    @property
    def error_text(self) -> str:
        """Standard error as text, undecodable bytes replaced."""
        return self.stderr.decode(errors="replace")


class Host(Protocol):
    """A machine that runs commands and holds files.

    A connection that was lost is made again by the next command. A command that was under way when it was lost is
    not repeated, for it may have done its work; put and get are, since they may be.

    Attributes:
        name: the target as the user named it, for messages.
        address: the name or address under which its services are reached from here
            (127.0.0.1 for this machine).
        direct: whether TCP to ``address`` goes straight there (false behind a jump host).
    """

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str: ...

    @property
    def direct(self) -> bool: ...

    @property
    def can_be_root(self) -> bool:
        """Whether ``root=True`` works: already root, or sudo with what was given."""
        ...

    def require_root(self) -> None:
        """Make sure that ``root=True`` works.

        Raises:
            LanpiError: REFUSED; says why (no terminal to ask on, a wrong password, no right to sudo) and what to do.
        """
        ...

    @property
    def is_this_machine(self) -> bool:
        """Whether lanpi itself runs there, and ends when it reboots."""
        ...

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        root: bool = False,
        check: bool = True,
        timeout_seconds: float | None = None,
    ) -> Completed:
        """Run a command to its end.

        Args:
            argv: program and arguments; no shell interprets them. No secrets: arguments are
                visible to every user of the machine.
            stdin: what the command reads.
            root: run as root (sudo where the login is not root).
            check: raise on a non-zero status.
            timeout_seconds: end the wait after this long; None waits without limit.

        Raises:
            LanpiError: REFUSED when root is asked for and not available, UNREACHABLE when the
                connection is lost, FAILED on a non-zero status with ``check`` or on timeout.
        """
        ...

    def stream(
        self,
        argv: Sequence[str],
        on_output: Callable[[bytes], None],
        *,
        stdin: bytes = b"",
        root: bool = False,
    ) -> int:
        """Run a command, hand over its standard output as it comes, return its exit status."""
        ...

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """Write a file atomically (temporary name, fsync, rename in the same folder)."""
        ...

    def get(self, path: str, *, root: bool = False) -> bytes:
        """Read a file.

        Raises:
            FileNotFoundError: there is none.
        """
        ...

    def disconnect(self) -> None:
        """End the connection; the next command makes a new one, without questions. Nothing for this machine."""
        ...

    def close(self) -> None:
        """End the connection; the object is not used afterwards."""
        ...
