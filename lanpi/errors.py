"""The one kind of expected failure, and the exit codes that tell failures apart.

Everything that can go wrong in use is raised as a :class:`LanpiError`; only
``lanpi.cli.main`` turns it into a line on the terminal and an exit status.
"""

from collections.abc import Callable
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of ``lanpi``; documented for users in docs/reference/exit-codes.md.

    ``status`` and ``doctor`` use the monitoring convention 0-3 instead
    (Monitoring Plugins Development Guidelines, "Plugin Return Codes").
    """

    DONE = 0
    """The command did what was asked."""
    FAILED = 1
    """Something failed on the Pi while a change was applied."""
    BAD_INPUT = 2
    """Wrong option, target, configuration or file: nothing was touched."""
    UNREACHABLE = 3
    """The target did not answer (name, network, port)."""
    REFUSED = 4
    """The target answered and refused: host key, login, sudo."""
    BLOCKED = 5
    """Preflight found a blocker, or another lanpi holds the lock: nothing was touched."""
    MISSING = 6
    """This machine misses something that the command needs."""
    INTERRUPTED = 130
    """Ctrl-C or a termination signal (128 + SIGINT, as shells report it)."""
    READER_LEFT = 141
    """What read the output closed it before the end, as `head` does (128 + SIGPIPE)."""


class LanpiError(Exception):
    """An expected failure, said in one line.

    Args:
        what: what failed, in plain words, without a final period.
        host: the target as the user named it; empty when no host is concerned.
        next_step: what the user does next, a command where there is one.
        exit_code: how the process ends.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str = "",
        next_step: str = "",
        exit_code: ExitCode = ExitCode.FAILED,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.host = host
        self.next_step = next_step
        self.exit_code = exit_code

    def complete(self, completed: Callable[[str], str]) -> None:
        """Make the commands in it ready to be pasted, see :mod:`lanpi.hints`."""
        self.what, self.next_step = completed(self.what), completed(self.next_step)

    def __str__(self) -> str:
        where = f"{self.host}: " if self.host else ""
        stop = "" if self.what.endswith("?") else "."
        after = f"{stop} {self.next_step}" if self.next_step else ""
        return f"{where}{self.what}{after}"
