"""All checks, and their findings in order: the worst first, and a cause before its effects."""

from collections.abc import Collection

from lanpi.doctor import board, services, upkeep
from lanpi.doctor.evidence import Evidence
from lanpi.doctor.result import NO_ROOT, SEVERITY, Check, Finding, Result, skipped
from lanpi.errors import ExitCode, LanpiError

# Within a severity: what makes services fail, then the services, then the rest.
_CAUSES = ("installed", "card", "disk-full", "clock", "certificate", "packages", "power", "heat", "memory", "oom")
_SERVICES = ("database", "redis", "im", "web")
_BY_ID = {check.id: check for check in (*upkeep.CHECKS, *board.CHECKS, *services.CHECKS)}
CHECKS: tuple[Check, ...] = tuple(
    _BY_ID[name] for name in (*_CAUSES, *_SERVICES, *(name for name in _BY_ID if name not in (*_CAUSES, *_SERVICES)))
)


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


def examine(evidence: Evidence, checks: tuple[Check, ...] = CHECKS) -> tuple[Finding, ...]:
    """Every check's result, the worst first; a check that crashes is a finding of its own."""
    found = []
    for check in checks:
        try:
            result = check.examine(evidence)
        except (ValueError, KeyError, TypeError, ZeroDivisionError, OverflowError) as error:
            # One unexpected figure must not hide what the other checks see.
            result = Result("error", f"the check crashed: {error!r}", (), "Report it to lanpi's authors: lanpi report")
        if check.needs_root and not evidence.facts.is_root and result.state in ("ok", "skipped"):
            result = skipped(NO_ROOT)
        found.append(Finding(check, result))
    return tuple(sorted(found, key=lambda finding: SEVERITY.index(finding.result.state)))


def exit_status(findings: tuple[Finding, ...]) -> int:
    """0 healthy, 1 a warning, 2 critical, 3 a check crashed (Monitoring Plugins Guidelines, "Plugin Return Codes")."""
    states = {finding.result.state for finding in findings}
    return 2 if "critical" in states else 3 if "error" in states else 1 if "warning" in states else 0
