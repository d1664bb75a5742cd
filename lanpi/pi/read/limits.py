"""The limits in effect, as units, kernel and configuration files say. What cannot be read is None, never a guess."""

import glob
import json
import re
import sys
from pathlib import Path

from lanpi.pi.read import units
from lanpi.pi.read.source import Machine


def collect(wanted: dict[str, tuple[str, str, str]]) -> dict[str, str | None]:
    """The values in effect.

    Args:
        wanted: name -> kind (unit, sysctl, file, line, word), place (unit, sysctl or path pattern), key there.
    """
    keys: dict[str, set[str]] = {}
    for kind, place, key in wanted.values():
        if kind == "unit":
            keys.setdefault(place, set()).add(key)
    source = Machine()
    shown = {unit: _properties(source, unit, tuple(sorted(names))) for unit, names in keys.items()}
    return {
        name: shown[place].get(key) if kind == "unit" else _look(kind, place, key)
        for name, (kind, place, key) in wanted.items()
    }


def _properties(source: Machine, unit: str, names: tuple[str, ...]) -> dict[str, str]:
    found = units.show(source, [unit], names)
    return found[0] if found else {}


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def _look(kind: str, place: str, key: str) -> str | None:
    if kind == "sysctl":
        return _text("/proc/sys/" + place.replace(".", "/")).strip() or None
    if kind == "file":
        return _text(place).strip() or None
    if kind == "line":
        pattern = re.compile(r"^\s*(?:- )?" + re.escape(key) + r"\s*(\S+)", re.M)
    else:
        pattern = re.compile(re.escape(key) + r"\s*([^\s,}\"]+)")
    for path in sorted(glob.glob(place)):  # noqa: PTH207 - an absolute pattern, which Path.glob refuses
        found = pattern.search(_text(path))
        if found:
            return found[1]
    return None


def main() -> None:
    """Command line: what is wanted, as JSON."""
    json.dump(collect(json.loads(sys.argv[1])), sys.stdout)
