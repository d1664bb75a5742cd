"""Status for Prometheus: the verdict and each line's level, and the figures that the Pi itself serves too."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from lanpi.pi.metrics.exposition import Sample, samples
from lanpi.pi.metrics.exposition import exposition as as_text
from lanpi.pi.thresholds import SEVERITY
from lanpi.status.judge import Report


def exposition(reports: Sequence[Report]) -> str:
    """All samples of all targets, each name once with its help; unknown values are left out."""
    return as_text(sample for report in reports for sample in _samples(report))


def _samples(report: Report) -> Iterator[Sample]:
    target = {"target": report.target}
    yield "lanpi_status", target, report.exit_status
    for line in report.lines:
        if line.level != "unknown":
            yield "lanpi_check_level", target | {"check": line.key}, SEVERITY[line.level]
    if report.readings:
        yield from samples(asdict(report.readings), target)
