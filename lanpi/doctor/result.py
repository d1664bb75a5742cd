"""A check and its result."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lanpi.doctor.evidence import Evidence

State = Literal["ok", "warning", "critical", "skipped", "error"]
Action = Literal["converge", "restart", "free-disk", "dpkg", "certificate", "clock", "time-service", "unban", ""]
SEVERITY: tuple[State, ...] = ("critical", "error", "warning", "skipped", "ok")


@dataclass(frozen=True)
class Result:
    """What a check found.

    Attributes:
        state: the verdict; skipped where this machine does not report what the check needs.
        cause: in plain words; empty when all is well.
        evidence: the lines or figures that show it.
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
    """This machine does not report what the check needs."""
    return Result("skipped", why)


@dataclass(frozen=True)
class Check:
    """A named question that the evidence answers.

    Attributes:
        id: for ``--only``.
        title: two or three words.
        looks_at: what it checks, for the reference.
        worst: the worst state it gives.
        examine: evidence in, result out; pure.
        needs_root: an ordinary user cannot read all of the evidence, so finding nothing means nothing.
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
