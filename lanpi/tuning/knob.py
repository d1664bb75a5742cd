"""What a setting is: name, unit, bounds, where it is written, what it does, where that is documented."""

from dataclasses import dataclass
from typing import Literal

Unit = Literal["bytes", "KiB", "count", "weight", "score", "seconds", "1/100 s", "bytes/s", "per second", ""]


@dataclass(frozen=True)
class Knob:
    """A value that a plan holds.

    Attributes:
        name: path in the plan.
        unit: of the value.
        low, high: what the kernel, systemd, Erlang, Redis or PostgreSQL accept; a decision may narrow them.
        choices: the words allowed, instead of a number.
        now: how the value in effect is read: "unit NAME PROPERTY", "sysctl KEY", "line FILE START",
            "file GLOB" (words in brackets win), "mount /", "".
        lands: file on the Pi.
        why: effect, in one line.
        source: of the effect or of the bounds.
        fixed: cannot be overridden; says which setting to change instead.
    """

    name: str
    unit: Unit
    now: str
    lands: str
    why: str
    source: str
    low: int = 0
    high: int = 2**62
    choices: tuple[str, ...] = ()
    fixed: str = ""
