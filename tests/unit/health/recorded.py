"""The recorded readings and what is done to them."""

import json
from pathlib import Path
from typing import Any

from lanpi.health.read import readings_from_json
from lanpi.health.readings import Readings

DATA = Path(__file__).parents[2] / "data" / "status"


def readings(changes: dict[str, Any] | None = None) -> Readings:
    """The virtual Pi's readings with values put at paths such as "board/load"."""
    recorded = json.loads((DATA / "virtual.json").read_text("utf-8"))
    for path, value in (changes or {}).items():
        *parents, last = path.split("/")
        place = recorded
        for name in parents:
            place = _inside(place, name)
        assert last in place, path
        # Times of units are given from the reading on.
        place[last] = recorded["epoch_seconds"] + float(value) if last == "since_epoch" else value
    return readings_from_json(json.dumps(recorded), recorded["epoch_seconds"])


def _inside(place: Any, name: str) -> Any:
    if isinstance(place, dict):
        return place[name]
    if name.isdigit():
        return place[int(name)]
    return next(unit for unit in place if unit["unit"] == name)
