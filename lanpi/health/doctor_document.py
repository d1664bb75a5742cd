"""Findings as a JSON document."""

from collections.abc import Callable
from typing import Any

from lanpi.health.doctor import Diagnosis, exit_status

VERSION = 2
"""2: ``mendable`` is called ``fixable``."""


def document(host: str, diagnoses: tuple[Diagnosis, ...], complete: Callable[[str], str] = str) -> dict[str, Any]:
    """What ``lanpi doctor --json`` prints; ``version`` is increased when a key goes away or changes its meaning.

    Args:
        host: its name.
        diagnoses: of it.
        complete: makes the commands in a text ready to be pasted, see :mod:`lanpi.hints`.
    """
    return {
        "version": VERSION,
        "host": host,
        "exit_status": exit_status(diagnoses),
        "findings": [_finding(diagnosis, complete) for diagnosis in diagnoses],
    }


def _finding(diagnosis: Diagnosis, complete: Callable[[str], str]) -> dict[str, Any]:
    found = diagnosis.finding
    return {
        "id": found.id,
        "title": diagnosis.check.title,
        # What this machine cannot tell is a check that was skipped.
        "state": "skipped" if found.level == "unknown" else found.level,
        "cause": found.cause or ("" if found.level == "ok" else found.text),
        "evidence": list(found.evidence) if found.is_bad else [],
        "fix": complete(found.fix) if found.is_bad else "",
        "fixable": bool(diagnosis.steps),
    }
