"""A check and what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lanpi.health.evidence import Evidence

State = Literal["ok", "warning", "critical", "skipped", "error"]
Action = Literal["converge", "restart", "free-disk", "dpkg", "certificate", "clock", "time-service", "unban", ""]
SEVERITY: tuple[State, ...] = ("critical", "error", "warning", "skipped", "ok")


@dataclass(frozen=True)
class Result:
    """What a check found.

    Attributes:
        state: how it is; skipped where this machine cannot tell.
        cause: in plain words; empty when all is well.
        evidence: the very lines or figures.
        fix: the command, or what to do by hand.
        action: what ``--fix`` does about it; empty where only a person can.
        target: what the action is about, such as a unit.
    """

    state: State
    cause: str = ""
    evidence: tuple[str, ...] = ()
    fix: str = ""
    action: Action = ""
    target: str = ""


OK = Result("ok")


NO_ROOT = "not available without root"


def skipped(why: str) -> Result:
    """This machine cannot tell."""
    return Result("skipped", why)


@dataclass(frozen=True)
class Check:
    """A named question to the evidence.

    Attributes:
        id: for ``--only``.
        title: two or three words.
        looks_at: what it checks, for the reference.
        worst: the worst state it gives.
        examine: evidence in, result out; pure.
        needs_root: an ordinary user does not see all that it looks at, so silence says nothing.
    """

    id: str
    title: str
    looks_at: str
    worst: State
    examine: Callable[[Evidence], Result]
    needs_root: bool = False


@dataclass(frozen=True)
class Finding:
    """A check with its result."""

    check: Check
    result: Result
