"""Where the history is kept: in memory, and now and then on the card."""

import contextlib
import os
from pathlib import Path

from . import ring
from .ring import Sample


def read(path: str) -> list[Sample]:
    """Samples of a file; none when there is no file."""
    try:
        return ring.from_lines(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        return []


def write(path: str, samples: list[Sample]) -> int:
    """Replace a file, atomically; returns the bytes written."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".new")
    text = "".join(map(ring.to_line, samples))
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    return len(text)


def append(path: str, sample: Sample) -> None:
    """Add one sample to a file."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a", encoding="utf-8") as file:
        file.write(ring.to_line(sample))


def load(live: str, kept: str) -> None:
    """After a boot: bring the history from the card into memory, before what is there already."""
    have = read(live)
    first = have[0].epoch if have else float("inf")
    write(live, [sample for sample in read(kept) if sample.epoch < first] + have)


def save(live: str, kept: str, now: float) -> None:
    """Put what is kept of the history on the card, and the same in memory."""
    samples = ring.thin(read(live), now)
    write(live, samples)
    write(kept, samples)


def saved_seconds_ago(kept: str, now: float) -> float | None:
    """How long ago the card was written; None for never."""
    with contextlib.suppress(FileNotFoundError):
        return now - Path(kept).stat().st_mtime
    return None
