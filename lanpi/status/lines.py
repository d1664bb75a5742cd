"""What status reports: one line for each thing, with its level."""

from collections.abc import Iterable
from dataclasses import dataclass

from lanpi.pi.thresholds import SEVERITY, Level

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
"""Exit statuses as monitoring systems expect them (Monitoring Plugins Development Guidelines)."""

VERDICTS = {OK: "ok", WARNING: "warning", CRITICAL: "critical", UNKNOWN: "unknown"}


@dataclass(frozen=True)
class Line:
    """One thing that status reports on.

    Attributes:
        key: its stable name for programs.
        section: the heading under which people find it.
        label: its name for people.
        level: the verdict, shown as a colour.
        text: what was found.
        hint: what to do; "" where there is nothing to do.
    """

    key: str
    section: str
    label: str
    level: Level
    text: str
    hint: str = ""


def worst(lines: Iterable[Line]) -> int:
    """The exit status for some lines: that of the worst of them, leaving out unknown ones."""
    return max((SEVERITY[line.level] for line in lines), default=OK)


NOT_AVAILABLE = "not available"


def size(count: float | None) -> str:
    """Bytes for people, in powers of 1024 with their everyday names."""
    if count is None:
        return NOT_AVAILABLE
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1024 or unit == "GB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit in ("B", "kB") or count >= 100 else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """A time span in the largest unit that fits: "3 days", "5 h", "12 min", "40 s"."""
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
