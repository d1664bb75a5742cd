"""The history as samples: one for each check, drawn together when they grow old. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import groupby, pairwise
from statistics import fmean
from typing import Any

from .names import COARSE_SECONDS, FINE_SECONDS, KEEP_SECONDS

LATENCIES = ("login", "delivery", "archive", "websocket", "web")
_HIGHEST = ("sessions", "people", "temperature")
_LAST = ("epoch", "disk_written", "error")
_SUMMED = ("checks", "passed")


@dataclass(frozen=True)
class Sample:
    """The Pi at one moment; older ones stand for an hour.

    Attributes:
        epoch: when, in seconds since 1970 by the Pi's clock.
        checks, passed: how many checks it stands for, and how many of them found that messages pass.
        error: what the last one that failed said, "" for none.
        login, delivery, archive, websocket, web: how long each took, in seconds; None where it was not reached.
        memory_available, swap_used, disk_written: bytes; written since boot.
        load: over five minutes.
        temperature: degrees Celsius.
        people, sessions: connected at that moment; the highest of the hour.
        messages: between people, a minute.
    """

    epoch: float
    checks: int = 0
    passed: int = 0
    error: str = ""
    login: float | None = None
    delivery: float | None = None
    archive: float | None = None
    websocket: float | None = None
    web: float | None = None
    memory_available: float | None = None
    swap_used: float | None = None
    disk_written: float | None = None
    load: float | None = None
    temperature: float | None = None
    people: float | None = None
    sessions: float | None = None
    messages: float | None = None


NAMES = tuple(field.name for field in fields(Sample))


def to_line(sample: Sample) -> str:
    """A sample as one line of JSON, without what is not known."""
    known = {name: value for name, value in asdict(sample).items() if value not in (None, "")}
    return json.dumps(known, separators=(",", ":")) + "\n"


def from_lines(text: str) -> list[Sample]:
    """Samples in order of time. A line that is broken, as after a power cut, is left out."""
    found = []
    for line in text.splitlines():
        try:
            data: Any = json.loads(line)
            found.append(Sample(**{name: data[name] for name in NAMES if name in data}))
        except (ValueError, TypeError):
            continue
    return sorted(found, key=lambda sample: sample.epoch)


def thin(samples: Sequence[Sample], now: float) -> list[Sample]:
    """What is kept: all of the last day and a half, one an hour before, nothing older than a month.

    A sample from the future, as a clock that was set back leaves it, is dropped: it would never grow old.
    """
    kept = [sample for sample in samples if now - KEEP_SECONDS < sample.epoch <= now]
    fine = [sample for sample in kept if sample.epoch > now - FINE_SECONDS]
    old = kept[: len(kept) - len(fine)]
    coarse = [_together(list(hour)) for _, hour in groupby(old, key=lambda sample: sample.epoch // COARSE_SECONDS)]
    return coarse + fine


def _together(samples: Sequence[Sample]) -> Sample:
    """One sample for several: counts added, people at their highest, the rest their mean."""
    if len(samples) == 1:
        return samples[0]
    values: dict[str, Any] = {}
    for name in NAMES:
        known = [value for sample in samples if (value := getattr(sample, name)) not in (None, "")]
        if not known:
            continue
        if name in _SUMMED:
            values[name] = sum(known)
        elif name in _HIGHEST:
            values[name] = max(known)
        elif name in _LAST:
            values[name] = known[-1]
        else:
            values[name] = round(fmean(known), 4)
    return Sample(**values)


def since(samples: Iterable[Sample], epoch: float) -> list[Sample]:
    """The samples after a moment."""
    return [sample for sample in samples if sample.epoch >= epoch]


def written(samples: Sequence[Sample]) -> float | None:
    """Bytes written to the disk over these samples; the counter begins anew at each boot."""
    counts = [sample.disk_written for sample in samples if sample.disk_written is not None]
    if len(counts) < 2:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(counts))


def failing_since(samples: Sequence[Sample]) -> float | None:
    """When the checks began to fail; None when the last one passed, or there is none."""
    began = None
    for sample in reversed([sample for sample in samples if sample.checks]):
        if sample.passed:
            break
        began = sample.epoch
    return began
