"""What preflight found about one thing."""

import math
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "blocker"]


@dataclass(frozen=True)
class Finding:
    """One line of the preflight report.

    Attributes:
        id: stable name for programs and the reference, such as "storage-space".
        level: ok, warning (the install goes on) or blocker (nothing is changed).
        text: what was found, one line without a final period.
        next_step: what the user must do, or what lanpi is about to do; empty for most findings that are ok.
    """

    id: str
    level: Level
    text: str
    next_step: str = ""


def ok(id: str, text: str, next_step: str = "") -> Finding:
    """Nothing to do."""
    return Finding(id, "ok", text, next_step)


def warning(id: str, text: str, next_step: str) -> Finding:
    """Worth knowing; the install continues."""
    return Finding(id, "warning", text, next_step)


def blocker(id: str, text: str, next_step: str) -> Finding:
    """The install would fail, so it does not start; no option changes that."""
    return Finding(id, "blocker", text, next_step)


def refusal(id: str, text: str, next_step: str, *, forced: bool) -> Finding:
    """The install might work but is not supported: a blocker that --force turns into a warning."""
    if forced:
        return warning(id, text, f"Continuing because of --force. {next_step}")
    return blocker(id, text, f"{next_step}, or try anyway with --force")


def gigabytes(count: int) -> str:
    """Bytes as people buy them: decimal gigabytes, rounded down, one digit below ten."""
    value = count / 1e9
    return f"{math.floor(value * 10) / 10} GB" if value < 10 else f"{math.floor(value)} GB"
