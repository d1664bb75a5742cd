"""Findings as a JSON document."""

from collections.abc import Callable
from typing import Any

from lanpi.doctor.checks import exit_status
from lanpi.doctor.result import Finding

VERSION = 1


def document(host: str, findings: tuple[Finding, ...], complete: Callable[[str], str] = str) -> dict[str, Any]:
    """What ``lanpi doctor --json`` prints; ``version`` changes when a key is removed or changes its meaning.

    Args:
        host: its name. findings: about it.
        complete: makes the commands in a text ready to be pasted, see :mod:`lanpi.hints`.
    """
    return {
        "version": VERSION,
        "host": host,
        "exit_status": exit_status(findings),
        "findings": [
            {
                "id": finding.check.id,
                "title": finding.check.title,
                "state": finding.result.state,
                "cause": finding.result.cause,
                "evidence": list(finding.result.evidence),
                "fix": complete(finding.result.fix),
                "mendable": bool(finding.result.action),
            }
            for finding in findings
        ],
    }
