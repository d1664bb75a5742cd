"""How a Pi is doing, from its readings to a verdict; pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lanpi.health.finding import SEVERITY, Finding
from lanpi.health.readings import Readings
from lanpi.health.table import TABLE, is_installed, judge_readings

__all__ = ["Report", "is_installed", "judge", "section_of", "unreachable"]

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
"""Exit statuses as monitoring systems expect them (Monitoring Plugins Development Guidelines)."""

VERDICTS = {OK: "ok", WARNING: "warning", CRITICAL: "critical", UNKNOWN: "unknown"}
END_TO_END = "End to end"
"""The section of what ``--deep`` tries, which has no entry in the table: it is a reading made on demand."""


@dataclass(frozen=True)
class Report:
    """A Pi's status.

    Attributes:
        target: as the user named it.
        exit_status: 0 ok, 1 warning, 2 critical, 3 unknown.
        summary: the verdict in one sentence.
        findings: everything that was judged.
        readings: what the report was made from; None when nothing could be read.
    """

    target: str
    exit_status: int
    summary: str
    findings: tuple[Finding, ...]
    readings: Readings | None

    @property
    def verdict(self) -> str:
        """The exit status as a word."""
        return VERDICTS[self.exit_status]

    def completed(self, complete: Callable[[str], str]) -> "Report":
        """The same with the commands in its texts ready to be pasted, see :mod:`lanpi.hints`."""
        found = tuple(replace(each, text=complete(each.text), fix=complete(each.fix)) for each in self.findings)
        return replace(self, summary=complete(self.summary), findings=found)


def unreachable(target: str, why: str) -> Report:
    """The report for a Pi that could not be read."""
    return Report(target, UNKNOWN, why, (), None)


def judge(target: str, readings: Readings, more: tuple[Finding, ...] = ()) -> Report:
    """Judge every reading; the worst level is the verdict.

    Args:
        target: as the user named it.
        readings: of that Pi.
        more: further findings that count towards the verdict, shown last.
    """
    found = (*judge_readings(readings), *more)
    if not is_installed(readings):
        # There is no server whose health could be told; that is no verdict on it.
        return Report(target, UNKNOWN, "lanpi is not installed on this Pi", found, readings)
    worst_level = max((SEVERITY[each.level] for each in found), default=OK)
    status = CRITICAL if worst_level > WARNING else worst_level
    bad = [each for each in found if each.is_bad]
    bad.sort(key=lambda each: -SEVERITY[each.level])
    summary = "; ".join(f"{each.label}: {each.text}" for each in bad[:3]) or "all is well"
    if len(bad) > 3:
        summary += f"; and {len(bad) - 3} more"
    return Report(target, status, summary, found, readings)


def section_of(finding: Finding) -> str:
    """The heading under which people find it."""
    return TABLE[finding.entry].section if finding.entry else END_TO_END
