"""Status as a JSON document; docs/reference/status.md describes it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lanpi.health.finding import Finding
from lanpi.health.status import Report, section_of

SCHEMA_VERSION = 1
"""Increased when a name is removed or its meaning changes; additions do not increase it."""


def document(reports: Sequence[Report]) -> dict[str, Any]:
    """Several targets' reports; sizes in bytes, times in seconds."""
    return {"schema_version": SCHEMA_VERSION, "targets": [_target(report) for report in reports]}


def _target(report: Report) -> dict[str, Any]:
    readings = asdict(report.readings) if report.readings else None
    if readings:
        # `lanpi config show` prints it, with the source of each value.
        del readings["config_text"]
    return {
        "target": report.target,
        "verdict": report.verdict,
        "exit_status": report.exit_status,
        "summary": report.summary,
        "lines": [_line(finding) for finding in report.findings],
        "readings": readings,
    }


def _line(finding: Finding) -> dict[str, str]:
    return {
        "key": finding.id,
        "section": section_of(finding),
        "label": finding.label,
        "level": finding.level,
        "text": finding.text,
        "hint": finding.fix if finding.is_bad else "",
    }
