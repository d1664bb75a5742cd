"""The values in effect on a Pi, read in one round trip."""

import json
import re
from collections.abc import Iterable

from lanpi.hosts.base import Host
from lanpi.tuning.knobs import KNOBS
from lanpi.tuning.model import Setting

# Runs on the Pi. A value that cannot be read is null, never a guess.
_SCRIPT = r"""
import glob, json, re, subprocess, sys
wanted = json.loads(sys.argv[1])
units = {}
for kind, place, key in wanted.values():
    if kind == "unit":
        units.setdefault(place, set()).add(key)
shown = {}
for unit, keys in units.items():
    done = subprocess.run(["systemctl", "show", "-p", ",".join(sorted(keys)), unit], capture_output=True, text=True)
    shown[unit] = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
def text(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
def look(kind, place, key):
    if kind == "unit":
        return shown[place].get(key)
    if kind == "sysctl":
        return text("/proc/sys/" + place.replace(".", "/")).strip() or None
    if kind == "file":
        return text(place).strip() or None
    for path in sorted(glob.glob(place)):
        if kind == "line":
            found = re.search(r"^\s*(?:- )?" + re.escape(key) + r"\s*(\S+)", text(path), re.M)
        else:
            found = re.search(re.escape(key) + r"\s*([^\s,}\"]+)", text(path))
        if found:
            return found[1]
    return None
print(json.dumps({name: look(*how) for name, how in wanted.items()}))
"""
_NUMBER = re.compile(r"^(-?\d+)([kMG]?)B?s?$")
_FACTOR = {"": 1, "k": 1024, "M": 1024**2, "G": 1024**3}
_UNLIMITED = 2**63


def read_now(host: Host, settings: Iterable[Setting]) -> dict[str, int | str | None]:
    """What is in effect now.

    Args:
        host: the Pi.
        settings: those to read.

    Returns:
        name -> value, None where the Pi cannot tell or nothing is set.
    """
    wanted = {}
    for setting in settings:
        kind, _, rest = KNOBS[setting.name].now.partition(" ")
        place, _, key = rest.partition(" ")
        if kind:
            wanted[setting.name] = (kind, place.replace("VERSION", "*"), key)
    done = host.run(["python3", "-", json.dumps(wanted)], stdin=_SCRIPT.encode(), root=True)
    found = json.loads(done.stdout)
    return {setting.name: parse(found.get(setting.name)) for setting in settings}


def parse(text: str | None) -> int | str | None:
    """A value as systemd, the kernel or a configuration file writes it.

    Examples:
        >>> parse("64kB"), parse("infinity"), parse("[not set]"), parse("none")
        (65536, 'no limit', None, 'none')
    """
    if text is None or text in ("", "[not set]"):
        return None
    if text == "infinity":
        return "no limit"
    number = _NUMBER.match(text)
    if not number:
        return text
    value = int(number[1]) * _FACTOR[number[2]]
    return "no limit" if value >= _UNLIMITED else value
