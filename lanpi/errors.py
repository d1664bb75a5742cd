"""The one kind of expected failure, and the exit codes that tell failures apart.

Everything that is expected to go wrong is raised as a :class:`LanpiError`; only
``lanpi.cli.main`` turns it into a line on the terminal and an exit status.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of ``lanpi``; documented for users in docs/reference/exit-codes.md.

    ``status`` and ``doctor`` use the monitoring convention 0-3 instead
    (Monitoring Plugins Development Guidelines, "Plugin Return Codes").
    """

    DONE = 0
    """The command did what was asked."""
    FAILED = 1
    """Something failed on the Pi while lanpi was changing it."""
    BAD_INPUT = 2
    """An option, target, setting or file is wrong: nothing was changed."""
    UNREACHABLE = 3
    """The target did not answer (name, network, port)."""
    REFUSED = 4
    """The target answered but refused: host key, login or sudo."""
    BLOCKED = 5
    """Preflight found a blocker, or another lanpi is working on the Pi: nothing was changed."""
    MISSING = 6
    """This machine lacks something that the command needs."""
    INTERRUPTED = 130
    """Ctrl-C or a termination signal (128 + SIGINT, as shells report it)."""
    READER_LEFT = 141
    """The program that read the output closed it early, as `head` does (128 + SIGPIPE)."""


@dataclass(frozen=True)
class Mistake:
    """One of several things that are wrong, such as a key of a file with settings.

    Attributes:
        key: by its dotted path, "" where none is concerned.
        source: the file or option that it comes from, "" if none.
        line: in that file, from 1; None where there is none.
        text: what is wrong and what is allowed.
    """

    key: str
    source: str
    line: int | None
    text: str

    def __str__(self) -> str:
        place = f"{self.source}, line {self.line}" if self.line else self.source
        return f"{place}: {self.text}" if place else self.text


class LanpiError(Exception):
    """An expected failure, described in one line.

    Args:
        what: what failed, in plain words, without a final period.
        host: the target as the user named it; empty when no host is concerned.
        next_step: what the user should do next, a command where there is one.
        exit_code: how the process ends.
        mistakes: each on a line of its own, where there are several.
    """

    def __init__(
        self,
        what: str,
        *,
        host: str = "",
        next_step: str = "",
        exit_code: ExitCode = ExitCode.FAILED,
        mistakes: Sequence[Mistake] = (),
    ) -> None:
        super().__init__(what)
        self.what = what
        self.host = host
        self.next_step = next_step
        self.exit_code = exit_code
        self.mistakes = tuple(mistakes)

    def complete(self, completed: Callable[[str], str]) -> None:
        """Make the commands in it ready to be pasted, see :mod:`lanpi.hints`."""
        self.what, self.next_step = completed(self.what), completed(self.next_step)

    def __str__(self) -> str:
        where = f"{self.host}: " if self.host else ""
        if self.mistakes:
            lines = "".join(f"\n  {mistake}" for mistake in self.mistakes)
            return f"{where}{self.what}:{lines}" + (f"\n{self.next_step}" if self.next_step else "")
        stop = "" if self.what.endswith("?") else "."
        after = f"{stop} {self.next_step}" if self.next_step else ""
        return f"{where}{self.what}{after}"
