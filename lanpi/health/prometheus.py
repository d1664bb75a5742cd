"""Status for Prometheus: the verdict and each line's level, and the figures that the Pi itself serves too."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from lanpi.health.finding import SEVERITY
from lanpi.health.status import CRITICAL, Report
from lanpi.pi.metrics.exposition import Sample, samples
from lanpi.pi.metrics.exposition import exposition as as_text


def exposition(reports: Sequence[Report]) -> str:
    """All samples of all targets, each name once with its help; unknown values are left out."""
    return as_text(sample for report in reports for sample in _samples(report))


def _samples(report: Report) -> Iterator[Sample]:
    target = {"target": report.target}
    yield "lanpi_status", target, report.exit_status
    for finding in report.findings:
        if finding.level != "unknown":
            yield "lanpi_check_level", target | {"check": finding.id}, min(SEVERITY[finding.level], CRITICAL)
    if report.readings:
        yield from samples(asdict(report.readings), target)
