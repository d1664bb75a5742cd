"""All checks, and their findings in order: the worst first, and a cause before its effects."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from lanpi.errors import ExitCode, LanpiError
from lanpi.health.check import Check
from lanpi.health.deeper import board, services, upkeep
from lanpi.health.evidence import Evidence
from lanpi.health.finding import NO_ROOT, SEVERITY, Finding, bad, skipped, worst
from lanpi.health.table import TABLE, judge_facts, judge_readings

# Within a level: what makes services fail, then the services, then the rest.
_CAUSES = ("moved", "installed", "card", "disk-full", "clock", "ownership", "certificate", "packages", "power", "heat",
           "memory", "oom")  # fmt: skip
_SERVICES = ("database", "redis", "im", "web", "messages")
_BY_ID = {check.id: check for check in (*upkeep.CHECKS, *board.CHECKS, *services.CHECKS)}
CHECKS: tuple[Check, ...] = tuple(
    _BY_ID[name] for name in (*_CAUSES, *_SERVICES, *(name for name in _BY_ID if name not in (*_CAUSES, *_SERVICES)))
)


@dataclass(frozen=True)
class Diagnosis:
    """A check with its verdict.

    Attributes:
        check: the question.
        finding: the answer; its id is the check's.
        steps: the findings whose actions ``--fix`` offers.
    """

    check: Check
    finding: Finding
    steps: tuple[Finding, ...]


def choose(only: Collection[str]) -> tuple[Check, ...]:
    """The checks with these ids; all checks where no id is given.

    Raises:
        LanpiError: BAD_INPUT for an id that no check has.
    """
    unknown = sorted(set(only) - set(_BY_ID))
    if unknown:
        raise LanpiError(
            f"there is no check named {unknown[0]!r}",
            next_step="`lanpi doctor --list` shows all checks",
            exit_code=ExitCode.BAD_INPUT,
        )
    return tuple(check for check in CHECKS if not only or check.id in only)


def examine(evidence: Evidence, checks: tuple[Check, ...] = CHECKS) -> tuple[Diagnosis, ...]:
    """Every check's verdict, the worst first; a check that crashes is a finding of its own.

    What status says is where each check begins: a deeper look explains it, or finds more, and takes nothing back.
    """
    found = (*judge_readings(evidence.readings), *judge_facts(evidence.facts, evidence.readings.asked_epoch))
    by_check: dict[str, list[Finding]] = {}
    for each in found:
        by_check.setdefault(TABLE[each.entry].doctor, []).append(each)
    diagnoses = [_diagnose(check, by_check.get(check.id, []), evidence) for check in checks]
    return tuple(sorted(diagnoses, key=_rank))


def _rank(diagnosis: Diagnosis) -> tuple[int, bool]:
    level = diagnosis.finding.level
    return -SEVERITY[level], level == "ok"


def _diagnose(check: Check, seen: list[Finding], evidence: Evidence) -> Diagnosis:
    try:
        deeper = check.deeper(evidence)
    except (ValueError, KeyError, TypeError, ZeroDivisionError, OverflowError) as error:
        # One unexpected figure must not hide what the other checks see.
        text = f"the check crashed: {error!r}"
        deeper = bad("error", text, (), "Report it to lanpi's authors: lanpi report")
    said = [each for each in seen if each.is_bad]
    steps: Iterable[Finding]
    if deeper.is_bad and SEVERITY[deeper.level] >= SEVERITY[worst(said)]:
        others = tuple(f"{each.label}: {each.text}" for each in said)
        # Where the deeper look knows no step of its own, those of what it explains still help.
        found, steps = replace(deeper, evidence=(*deeper.evidence, *others)), (deeper,) if deeper.action else said
    elif said:
        found, steps = _together(said, deeper), said
    elif seen:
        level = worst(seen)
        found, steps = Finding("", level, "" if level == "ok" else next(each.text for each in seen)), ()
    else:
        found, steps = deeper, ()
    if check.needs_root and not evidence.readings.is_root and not found.is_bad:
        found = skipped(NO_ROOT)
    return Diagnosis(check, replace(found, id=check.id, label=check.title), tuple(s for s in steps if s.action))


def _together(said: list[Finding], deeper: Finding) -> Finding:
    """The worst of what status says, with the rest and what the deeper look adds as evidence."""
    first = max(said, key=lambda each: SEVERITY[each.level])
    others = tuple(f"{each.label}: {each.text}" for each in said if each is not first)
    own = first.evidence or (f"{first.label}: {first.text}",)
    more = (deeper.cause, *deeper.evidence) if deeper.is_bad else deeper.evidence
    return replace(first, cause=first.cause or first.text, evidence=(*own, *others, *more))


def exit_status(diagnoses: tuple[Diagnosis, ...]) -> int:
    """0 healthy, 1 a warning, 2 critical, 3 a check crashed (Monitoring Plugins Guidelines, "Plugin Return Codes")."""
    levels = {diagnosis.finding.level for diagnosis in diagnoses}
    return 2 if "critical" in levels else 3 if "error" in levels else 1 if "warning" in levels else 0
