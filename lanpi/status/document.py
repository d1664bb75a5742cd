"""Status as a JSON document; docs/reference/status.md describes it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lanpi.status.judge import Report

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
        "lines": [asdict(line) for line in report.lines],
        "readings": readings,
    }
