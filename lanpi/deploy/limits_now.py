"""The values in effect on a Pi, read in one round trip."""

import json
import re
from collections.abc import Iterable

from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program
from lanpi.tuning.knobs import KNOBS
from lanpi.tuning.model import Setting

_NUMBER = re.compile(r"^(-?\d+)([kMG]?)B?s?$")
_FACTOR = {"": 1, "k": 1024, "M": 1024**2, "G": 1024**3}
_UNLIMITED = 2**63


def read_now(host: Host, settings: Iterable[Setting]) -> dict[str, int | str | None]:
    """What is in effect now.

    Args:
        host: the Pi.
        settings: those to read.

    Returns:
        name -> value, None where the Pi does not report it or nothing is set.
    """
    wanted = {}
    for setting in settings:
        kind, _, rest = KNOBS[setting.name].now.partition(" ")
        place, _, key = rest.partition(" ")
        if kind:
            wanted[setting.name] = (kind, place.replace("VERSION", "*"), key)
    done = run_program(host, "lanpi.pi.read.limits", [json.dumps(wanted)], root=True)
    if done.exit_status != 0:
        raise broken_reading(host, done, f"exit status {done.exit_status}")
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
