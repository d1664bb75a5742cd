"""Findings as a JSON document."""

from typing import Any

from lanpi.doctor.checks import exit_status
from lanpi.doctor.result import Finding

VERSION = 1


def document(host: str, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """What ``lanpi doctor --json`` prints; ``version`` changes when a key is removed or changes its meaning."""
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
                "fix": finding.result.fix,
                "mendable": bool(finding.result.action),
            }
            for finding in findings
        ],
    }
