"""Where the history is kept: in memory, and from time to time on the card."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from lanpi.pi.checks import ring
from lanpi.pi.checks.names import REWRITE_LINES
from lanpi.pi.checks.ring import Sample
from lanpi.pi.files import write_whole


@contextlib.contextmanager
def alone(path: str) -> Iterator[None]:
    """Wait for the lock and hold it; it is released when the process ends."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read(path: str) -> list[Sample]:
    """Samples of a file; none when there is no file."""
    return ring.from_lines(_text(path))


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def last(path: str) -> Sample | None:
    """The sample that was added last; None when there is none."""
    found = ring.newest(_text(path), float("-inf"), most=1)
    return found[0] if found else None


def write(path: str, samples: list[Sample]) -> int:
    """Replace a file, atomically; returns the bytes written."""
    text = "".join(map(ring.to_line, samples))
    write_whole(Path(path), text, mode=0o644)
    return len(text)


def append(path: str, sample: Sample) -> None:
    """Add one sample to a file."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("a", encoding="utf-8") as file:
        file.write(ring.to_line(sample))


def load(live: str, kept: str) -> None:
    """After a boot: load the history from the card into memory, ahead of what is there already."""
    have = read(live)
    first = have[0].epoch if have else float("inf")
    write(live, [sample for sample in read(kept) if sample.epoch < first] + have)


def save(live: str, kept: str, now: float) -> int:
    """Put what is new on the card, and what is kept of the history into memory; returns the bytes for the card.

    The card's copy grows at its end and is rewritten only when it is a good day longer than what is kept of it, or
    when a power cut left half a line there.
    """
    samples = ring.thin(read(live), now)
    write(live, samples)
    text = _text(kept)
    have = {sample.epoch for sample in ring.from_lines(text)}
    new = [sample for sample in samples if sample.epoch not in have]
    if not text.endswith("\n") or len(have) + len(new) > len(samples) + REWRITE_LINES:
        return write(kept, samples)
    return _add(kept, new)


def _add(path: str, samples: list[Sample]) -> int:
    text = "".join(map(ring.to_line, samples))
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return len(text)


def saved_seconds_ago(kept: str, now: float) -> float | None:
    """How long ago the card was written; None for never."""
    with contextlib.suppress(FileNotFoundError):
        return now - Path(kept).stat().st_mtime
    return None
