"""What systemd says of units: the one place that asks it and that understands its answer."""

import re

from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

STATE = ("Id", "LoadState", "UnitFileState", "ActiveState")
"""The properties that :func:`is_there` and :func:`state` need."""


def show(source: Source, units: list[str], properties: tuple[str, ...] = STATE) -> list[dict[str, str]]:
    """``systemctl show`` of some units, property -> text.

    Args:
        source: the machine.
        units: their names, or patterns (systemctl(1)).
        properties: names as systemd.unit and systemd.service have them; ``Id`` should be among them.
    """
    return blocks(source.show_units(units, properties)) if units else []


def blocks(text: str) -> list[dict[str, str]]:
    """The answer of ``systemctl show``, one dictionary a unit; a unit that two names led to is there once."""
    found: list[dict[str, str]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name = properties.get("Id")
        if properties and (name is None or name not in {known.get("Id") for known in found}):
            found.append(properties)
    return found


def is_there(block: dict[str, str]) -> bool:
    """Whether the unit exists on this machine; a masked one does, its package is installed."""
    return block.get("LoadState", "not-found") != "not-found"


def state(block: dict[str, str]) -> str:
    """ "enabled/active", "masked/inactive", "not-found/inactive": how it starts, and how it is."""
    enabled = block.get("UnitFileState") or block.get("LoadState", "")
    if not is_there(block):
        enabled = "not-found"
    return f"{enabled}/{block.get('ActiveState', 'unknown')}"


def states(found: list[dict[str, str]]) -> dict[str, str]:
    """Unit -> :func:`state`."""
    return {block["Id"]: state(block) for block in found}


def timestamp(text: str) -> float | None:
    """ "@1795422564"; anything else (nothing, or "n/a") is no time."""
    seconds = text.removeprefix("@")
    return float(seconds) if seconds.isdigit() and int(seconds) else None
