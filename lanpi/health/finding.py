"""What is said about one thing: the one type behind preflight's report, status's lines and doctor's findings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "unknown", "warning", "critical", "error", "blocker"]
"""``unknown``: the machine cannot tell, which is neither good nor bad. ``error``: the judging itself crashed.
``blocker``: preflight's, where an install cannot begin."""
Action = Literal[
    "converge", "restart", "enable", "unmask", "free-disk", "dpkg", "certificate", "reload", "ownership", "clock",
    "time-service", "check", "unban", "unlimit", "",
]  # fmt: skip
"""What ``doctor --fix`` does (lanpi/flows/fix.py)."""

SEVERITY: dict[Level, int] = {"unknown": 0, "ok": 0, "warning": 1, "error": 2, "critical": 3, "blocker": 4}
BAD: tuple[Level, ...] = ("warning", "critical", "error", "blocker")
NO_ROOT = "not available without root"


@dataclass(frozen=True)
class Finding:
    """What was found about one thing.

    Attributes:
        id: stable name for programs.
        level: the verdict.
        text: what was found, one line without a final period; the figure where there is one.
        label: its name for people.
        cause: what is wrong, in plain words; "" where nothing is.
        evidence: the lines or figures that show it.
        fix: the command, or what a person must do; "" where there is nothing to do.
        action: what ``doctor --fix`` does about it; "" where only a person can do something.
        target: what the action is about, such as a unit.
        entry: of the health table that judged it; "" where preflight or doctor alone asks.
    """

    id: str
    level: Level
    text: str
    label: str = ""
    cause: str = ""
    evidence: tuple[str, ...] = ()
    fix: str = ""
    action: Action = ""
    target: str = ""
    entry: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether something must be looked after."""
        return self.level in BAD


def worst(findings: Iterable[Finding]) -> Level:
    """The worst level; of those that are not bad, ok before unknown. Unknown for nothing."""
    return max((each.level for each in findings), key=lambda level: (SEVERITY[level], level == "ok"), default="unknown")


def bad(
    level: Level, cause: str, evidence: tuple[str, ...] = (), fix: str = "", action: Action = "", target: str = ""
) -> Finding:
    """What a deeper look found; whoever asked puts the id in."""
    return Finding("", level, cause, "", cause, evidence, fix, action, target)


OK = Finding("", "ok", "")


def also(*evidence: str) -> Finding:
    """A deeper look found nothing wrong by itself, but this explains what is."""
    return Finding("", "ok", "", evidence=evidence)


def skipped(why: str) -> Finding:
    """This machine does not report what is asked."""
    return Finding("", "unknown", why)


def ok(id: str, text: str, fix: str = "") -> Finding:
    """Nothing to do."""
    return Finding(id, "ok", text, fix=fix)


def warning(id: str, text: str, fix: str) -> Finding:
    """Worth knowing; the install continues."""
    return Finding(id, "warning", text, cause=text, fix=fix)


def blocker(id: str, text: str, fix: str) -> Finding:
    """The install would fail, so it does not start; no option changes that."""
    return Finding(id, "blocker", text, cause=text, fix=fix)


def refusal(id: str, text: str, fix: str, *, forced: bool) -> Finding:
    """The install might work but is not supported: a blocker that --force turns into a warning."""
    if forced:
        return warning(id, text, f"Continuing because of --force. {fix}")
    return blocker(id, text, f"{fix}, or try anyway with --force")
