"""The history as samples: one for each check, merged when they grow old. Pure."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import groupby, pairwise
from math import fsum, inf
from typing import Any

from lanpi.pi.checks.names import AHEAD_SECONDS, COARSE_SECONDS, FINE_SECONDS, KEEP_SECONDS

LATENCIES = ("login", "delivery", "archive", "websocket", "web")
WRITTEN = ("disk_written", "ejabberd_written", "postgresql_written", "journal_written")
_HIGHEST = ("sessions", "people", "temperature")
_LAST = ("epoch", "registered", "error", *WRITTEN)
_SUMMED = ("checks", "passed", "span", "sent", "received")


@dataclass(frozen=True)
class Sample:
    """The Pi at one moment; an older sample stands for an hour. Add new fields at the end: the card has the same order.

    Attributes:
        epoch: when, in seconds since 1970 by the Pi's clock.
        checks, passed: how many checks it stands for, and how many of them found that messages are delivered.
        error: the message of the last failed check, "" for none.
        login, delivery, archive, websocket, web: how long each took, in seconds; None where it was not reached.
        memory_available, swap_used, disk_free: bytes.
        disk_written, ejabberd_written, postgresql_written, journal_written: bytes, counted by the kernel since boot
            for the disk, and since its start for a service.
        load: over five minutes.
        temperature: degrees Celsius.
        registered: accounts.
        people, sessions: connected at that moment; the highest of the hour.
        answer: how long ejabberd took to say who is there, in seconds.
        span: seconds over which messages were counted: since the sample before, where that is not long ago.
        sent, received: messages between people in that time.
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
    disk_free: float | None = None
    disk_written: float | None = None
    ejabberd_written: float | None = None
    postgresql_written: float | None = None
    journal_written: float | None = None
    load: float | None = None
    temperature: float | None = None
    registered: float | None = None
    people: float | None = None
    sessions: float | None = None
    answer: float | None = None
    span: float = 0
    sent: float | None = None
    received: float | None = None


NAMES = tuple(field.name for field in fields(Sample))


def told(sample: Sample) -> dict[str, Any]:
    """A sample by the names of its fields, without what is not known."""
    return {name: value for name in NAMES if (value := getattr(sample, name)) not in (None, "")}


def to_line(sample: Sample) -> str:
    """A sample as one line: its values in the order of its fields, without the names, which would be half of it."""
    values = [getattr(sample, name) for name in NAMES]
    while values[-1] is None:
        values.pop()
    return json.dumps(values, separators=(",", ":")) + "\n"


def from_lines(text: str) -> list[Sample]:
    """Samples in order of time. A line that is broken, as after a power cut, is left out."""
    return sorted(filter(None, map(_from_line, text.splitlines())), key=lambda sample: sample.epoch)


def newest(text: str, epoch: float, most: float = inf) -> list[Sample]:
    """From lines in order of time, the samples after a moment, or the last few; the others are not even parsed."""
    found: list[Sample] = []
    for line in reversed(text.splitlines()):
        sample = _from_line(line)
        if len(found) >= most or (sample and sample.epoch < epoch):
            break
        if sample:
            found.append(sample)
    return sorted(found, key=lambda sample: sample.epoch)


def _from_line(line: str) -> Sample | None:
    try:
        values: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, list) or not values or not isinstance(values[0], int | float):
        return None
    return Sample(*values[: len(NAMES)])


def thin(samples: Sequence[Sample], now: float) -> list[Sample]:
    """What is kept: all of the last day and a half, one an hour before, nothing older than a month.

    A sample from the far future, as a clock that was wrong leaves it, is dropped: it would not grow old. One from the
    near future stays: after a power cut a Pi's clock is behind until the network tells the time.
    """
    kept = [sample for sample in samples if now - KEEP_SECONDS < sample.epoch <= now + AHEAD_SECONDS]
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
            values[name] = round(fsum(known) / len(known), 4)
    return Sample(**values)


def since(samples: Iterable[Sample], epoch: float) -> list[Sample]:
    """The samples after a moment."""
    return [sample for sample in samples if sample.epoch >= epoch]


def written(samples: Sequence[Sample], name: str = "disk_written") -> float | None:
    """Bytes written over these samples, by one of the counters in WRITTEN, which restart at each boot or start."""
    counts: list[float] = [count for sample in samples if (count := getattr(sample, name)) is not None]
    if len(counts) < 2:
        return None
    return sum(after - before if after >= before else after for before, after in pairwise(counts))


def bad_since(samples: Sequence[Sample], is_bad: Callable[[Sample], bool]) -> float | None:
    """The sample since which something has been bad without a break; None when the last one is not bad."""
    began = None
    for sample in reversed(samples):
        if not is_bad(sample):
            break
        began = sample.epoch
    return began


def failing_since(samples: Sequence[Sample]) -> float | None:
    """When the checks began to fail; None when the last one passed, or there is none."""
    return bad_since([sample for sample in samples if sample.checks], lambda sample: not sample.passed)
