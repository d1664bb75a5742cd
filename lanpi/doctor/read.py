"""Read the evidence in one round trip."""

import json
import time

from lanpi.deploy.roles import kept_units
from lanpi.doctor.evidence import Evidence
from lanpi.facts.records import build_record
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

TIMEOUT_SECONDS = 120


def read_evidence(host: Host, *, root: bool = True) -> Evidence:
    """Read everything the checks examine; change nothing on the Pi.

    Args:
        host: the machine.
        root: read as root; without root much is empty, and the checks that need root say so.

    Raises:
        LanpiError: FAILED when python3 is missing on the Pi or the probe crashed, and what ``Host.run`` raises.
    """
    arguments = [f"--units={','.join(kept_units())}"]
    done = run_program(host, "lanpi.pi.evidence.collect", arguments, root=root, timeout_seconds=TIMEOUT_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return build_record(Evidence, json.loads(done.text) | {"asked_epoch": time.time()}, "evidence")
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error
