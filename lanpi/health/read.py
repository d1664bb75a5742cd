"""Read what is judged: how a Pi is doing, and what lies behind it; each in one round trip, changing nothing."""

import json
import time
from typing import Any

from lanpi.deploy.ownership import owned
from lanpi.deploy.roles import kept_units
from lanpi.facts.records import build_record
from lanpi.health.evidence import Evidence
from lanpi.health.readings import Readings
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

STATUS_SECONDS = 30
EVIDENCE_SECONDS = 120
"""A day of logs takes its time to read on a Pi 3."""
ALWAYS_WATCHED = ("ejabberd.service", "redis-server.service", "nginx.service", "ssh.service")


def watched_units() -> tuple[str, ...]:
    """The units that lanpi's roles keep running, and the way in."""
    return tuple(dict.fromkeys((*ALWAYS_WATCHED, *kept_units())))


def _what() -> list[str]:
    wanted = [(each.path, each.owner, each.group, each.mode) for each in owned()]
    return [f"--units={','.join(watched_units())}", f"--owned={json.dumps(wanted)}"]


def read_status(host: Host, *, root: bool, since_seconds: float = 0) -> Readings:
    """Read how a machine is doing.

    Args:
        host: the machine.
        root: read as root; without it much is None.
        since_seconds: of history to read one by one; 0 for its sum alone.

    Raises:
        LanpiError: FAILED when python3 is missing there or the probe broke, and what ``Host.run`` raises.
    """
    arguments = [*_what(), f"--since={since_seconds}"]
    done = run_program(host, "lanpi.pi.status", arguments, root=root, timeout_seconds=STATUS_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return readings_from_json(done.text, time.time())
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error


def readings_from_json(text: str, asked_epoch: float) -> Readings:
    """The probe's output, with the operator's clock when it came.

    Raises:
        ValueError: not JSON, or a value is missing, unknown or of another type.
    """
    return build_record(Readings, json.loads(text) | {"asked_epoch": asked_epoch}, "readings")


def read_evidence(host: Host, *, root: bool = True) -> Evidence:
    """Read status's readings and everything that explains them.

    Args:
        host: the machine.
        root: read as root; without it much is empty, and the checks that need it say so.

    Raises:
        LanpiError: FAILED when python3 is missing there or the probe broke, and what ``Host.run`` raises.
    """
    done = run_program(host, "lanpi.pi.evidence", _what(), root=root, timeout_seconds=EVIDENCE_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        # Status's readings come first in the program, the logs after them: its own clock says how long ago that was.
        return evidence_from_json(done.text, time.time())
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error


def evidence_from_json(text: str, asked_epoch: float) -> Evidence:
    """The probe's output, with the operator's clock when it came; see :func:`readings_from_json`."""
    data: dict[str, Any] = json.loads(text)
    data["readings"]["asked_epoch"] = asked_epoch - data.pop("seconds_since")
    return build_record(Evidence, data, "evidence")
