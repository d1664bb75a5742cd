"""The history of the checks, as the Pi keeps it; only its sum, unless more is asked for."""

import time
from dataclasses import asdict
from statistics import median
from typing import Any

from lanpi.checks import ring
from lanpi.checks.names import KEPT, LIVE
from lanpi.facts.probe.recorded import Recorded
from lanpi.facts.probe.source import Machine

Source = Machine | Recorded
DAY_SECONDS = 86400


def history(source: Source, now: float, asked_seconds: float) -> dict[str, Any] | None:
    """What ``lanpi.status.model.History`` holds; None where nothing was kept, or cannot be read.

    Args:
        source: the machine.
        now: its clock.
        asked_seconds: samples of so long are in it, one by one.
    """
    text = source.read_text(LIVE)
    if text is None:
        text = source.read_text(KEPT)
    samples = [sample for sample in ring.from_lines(text or "") if sample.epoch <= now]
    if not samples:
        return None
    day = ring.since(samples, now - DAY_SECONDS)
    today = ring.since(samples, midnight(now))
    last = next((sample for sample in reversed(samples) if sample.checks), None)
    sessions = [sample.sessions for sample in today if sample.sessions is not None]
    return {
        "first_epoch": samples[0].epoch,
        "last_epoch": samples[-1].epoch,
        "checks": sum(sample.checks for sample in day),
        "passed": sum(sample.passed for sample in day),
        "last_error": last.error if last is not None and not last.passed else "",
        "failing_since": ring.failing_since(samples),
        "latest_seconds": {name: getattr(last, name) for name in ring.LATENCIES},
        "usual_seconds": {name: _median(day, name) for name in ring.LATENCIES},
        "peak_sessions_today": int(max(sessions)) if sessions else None,
        "written_today_bytes": ring.written(today),
        "samples": [asdict(sample) for sample in ring.since(samples, now - asked_seconds)] if asked_seconds else [],
    }


def midnight(now: float) -> float:
    """The beginning of the Pi's day, by its time zone."""
    local = time.localtime(now)
    return time.mktime((local.tm_year, local.tm_mon, local.tm_mday, 0, 0, 0, 0, 0, -1))


def _median(samples: list[ring.Sample], name: str) -> float | None:
    known = [value for sample in samples if (value := getattr(sample, name)) is not None]
    return round(median(known), 4) if known else None
