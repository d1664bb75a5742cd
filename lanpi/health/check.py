"""A check of doctor: one name for what the health table judges and what a deeper look adds."""

from collections.abc import Callable
from dataclasses import dataclass

from lanpi.health.evidence import Evidence
from lanpi.health.finding import OK, Finding, Level


def nothing_deeper(_: Evidence) -> Finding:
    """The readings say all there is to say."""
    return OK


@dataclass(frozen=True)
class Check:
    """A named question that the readings and the evidence answer.

    Attributes:
        id: for ``--only``; the entries of the health table that name it are judged first.
        title: two or three words.
        looks_at: what it checks, for the reference.
        worst: the worst level it gives.
        deeper: what else the evidence says: a cause, lines of a log; pure.
        needs_root: an ordinary user cannot read all of the evidence, so finding nothing means nothing.
    """

    id: str
    title: str
    looks_at: str
    worst: Level
    deeper: Callable[[Evidence], Finding] = nothing_deeper
    needs_root: bool = False
