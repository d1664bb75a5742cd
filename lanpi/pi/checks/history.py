"""The history of the checks, as the Pi keeps it; only a summary, unless more is asked for."""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from typing import Any

from lanpi.pi.checks import ring
from lanpi.pi.checks.names import KEPT, LIVE, MISSED_SECONDS
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine
from lanpi.pi.thresholds import TABLE

Source = Machine | Recorded
WRITERS = ("disk", "ejabberd", "postgresql", "journal")
DAY_SECONDS = 86400


def history(source: Source, now: float, asked_seconds: float, board: dict[str, Any]) -> dict[str, Any] | None:
    """What ``lanpi.health.readings.History`` holds; None where nothing was kept, or cannot be read.

    Args:
        source: the machine.
        now: its clock.
        asked_seconds: include the samples of this long, one by one.
        board: what lanpi.pi.read.board gives: the sizes of which the samples are parts.
    """
    text = source.read_text(LIVE)
    if text is None:
        text = source.read_text(KEPT)
    text = text or ""
    # A month of it takes four times as long to read as the day that nearly always is enough.
    samples = [sample for sample in ring.newest(text, now - max(asked_seconds, DAY_SECONDS)) if sample.epoch <= now]
    if not any(sample.passed for sample in samples):
        samples = [sample for sample in ring.from_lines(text) if sample.epoch <= now]
    if not samples:
        return None
    first = ring.from_lines(text.partition("\n")[0])
    began = min(sample.epoch for sample in (*first, samples[0]))
    day = ring.since(samples, now - DAY_SECONDS)
    today = ring.since(samples, midnight(now))
    # What was written until today's first sample counts from yesterday's last.
    counted = samples[max(len(samples) - len(today) - 1, 0) :]
    sent = [sample.sent for sample in today if sample.sent is not None]
    last = next((sample for sample in reversed(samples) if sample.checks), None)
    sessions = [sample.sessions for sample in today if sample.sessions is not None]
    return {
        "first_epoch": began,
        "last_epoch": samples[-1].epoch,
        "checks": sum(sample.checks for sample in day),
        "passed": sum(sample.passed for sample in day),
        "unseen_seconds": _unseen_seconds(day, max(began, now - DAY_SECONDS), now),
        "last_error": last.error if last is not None and not last.passed else "",
        "failing_since": ring.failing_since(samples),
        "latest_seconds": {name: getattr(last, name, None) for name in ring.LATENCIES},
        "usual_seconds": {name: _median(day, name) for name in ring.LATENCIES},
        "peak_sessions_today": int(max(sessions)) if sessions else None,
        "messages_today": int(sum(sent)) if sent else None,
        "written_today_bytes": {name: ring.written(counted, f"{name}_written") for name in WRITERS},
        "bad_since": _bad_since(samples, board),
        "samples": [asdict(sample) for sample in ring.since(samples, now - asked_seconds)] if asked_seconds else [],
    }


def _bad_since(samples: list[ring.Sample], board: dict[str, Any]) -> dict[str, float]:
    """Since when the figure behind a line has been at warning or critical; by the line's key."""

    def share(value: float | None, total: float, percent: float = 100) -> float | None:
        return None if value is None or not total else percent * value / total

    figures: dict[str, Callable[[ring.Sample], list[tuple[str, float | None]]]] = {
        "load": lambda one: [("load_per_core", share(one.load, board["cores"], 1))],
        "memory": lambda one: [("memory_available", share(one.memory_available, board["memory_total_bytes"]))],
        "swap": lambda one: [("swap_used", share(one.swap_used, board["swap_total_bytes"]))],
        "temperature": lambda one: [("temperature", one.temperature)],
        "disk": lambda one: [("disk_free", share(one.disk_free, board["disk_total_bytes"]))],
        "answer": lambda one: [("answer_seconds", one.answer)],
        "latency": lambda one: [("deep_login", one.login), ("deep_delivery", one.delivery)],
    }

    def is_bad(key: str, sample: ring.Sample) -> bool:
        return any(TABLE[name].level(value) in ("warning", "critical") for name, value in figures[key](sample))

    began = {key: ring.bad_since(samples, partial(is_bad, key)) for key in figures}
    return {key: epoch for key, epoch in began.items() if epoch is not None}


def _unseen_seconds(samples: list[ring.Sample], began: float, ended: float) -> float:
    """How long there were no checks: the Pi was off, or a power cut took what was not yet on the card."""
    moments = [began, *(sample.epoch for sample in samples), ended]
    return sum(after - before for before, after in pairwise(moments) if after - before > MISSED_SECONDS)


def midnight(now: float) -> float:
    """The beginning of the Pi's day, by its time zone."""
    local = time.localtime(now)
    return time.mktime((local.tm_year, local.tm_mon, local.tm_mday, 0, 0, 0, 0, 0, -1))


def _median(samples: list[ring.Sample], name: str) -> float | None:
    from statistics import median  # noqa: PLC0415 - python3-minimal lacks it, and without lanpi there is no history

    known = [value for sample in samples if (value := getattr(sample, name)) is not None]
    return round(median(known), 4) if known else None
