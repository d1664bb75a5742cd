"""Spans of time: as people type them, and as they are told to people. The one place for both."""

import re

from lanpi.errors import ExitCode, LanpiError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST_SECONDS = 100 * 365 * 86_400


def parse_span(text: str) -> float:
    """ "90s", "10m", "24h", "7d", "2w" as seconds.

    Raises:
        LanpiError: BAD_INPUT for anything else, nothing, and more than a century.
    """
    found = re.fullmatch(r"(\d+)([smhdw])", text.strip())
    seconds = float(int(found[1]) * _SECONDS[found[2]]) if found and len(found[1]) <= 10 else 0.0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise LanpiError(
            f"{text!r} is not a valid time span",
            next_step="Give a number and a unit, such as 30m, 24h, 7d or 2w",
            exit_code=ExitCode.BAD_INPUT,
        )
    return seconds


def duration(seconds: float) -> str:
    """A time span in the largest unit that fits: "3 days", "5 h", "12 min", "40 s"."""
    for length, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"
