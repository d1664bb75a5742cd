"""Read the state of a Pi in one round trip."""

import json

from lanpi.deploy.roles import kept_units
from lanpi.facts.records import build_record
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program
from lanpi.status.model import Readings

TIMEOUT_SECONDS = 30
ALWAYS_WATCHED = ("ejabberd.service", "redis-server.service", "nginx.service", "ssh.service")


def watched_units() -> tuple[str, ...]:
    """The units that lanpi's roles keep running, and the way in."""
    return tuple(dict.fromkeys((*ALWAYS_WATCHED, *kept_units())))


def read_status(host: Host, *, root: bool, since_seconds: float = 0) -> Readings:
    """Read the state of a machine; change nothing on it.

    Args:
        host: the machine.
        root: read as root; without root much is None.
        since_seconds: of history to read sample by sample; 0 for its summary only.

    Raises:
        LanpiError: FAILED when python3 is missing on the Pi or the probe crashed, and what ``Host.run`` raises.
    """
    arguments = [f"--units={','.join(watched_units())}", f"--since={since_seconds}"]
    done = run_program(host, "lanpi.pi.status", arguments, root=root, timeout_seconds=TIMEOUT_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return readings_from_json(done.text)
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error


def readings_from_json(text: str) -> Readings:
    """The probe's output.

    Raises:
        ValueError: not JSON, or a value is missing, unknown or of another type.
    """
    return build_record(Readings, json.loads(text), "readings")
