"""Read the evidence in one round trip."""

import json
import time

from lanpi.deploy.roles import kept_units
from lanpi.facts.records import build_record
from lanpi.health.evidence import Evidence
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

TIMEOUT_SECONDS = 120


def read_evidence(host: Host, *, root: bool = True) -> Evidence:
    """Read everything the checks look at; changes nothing there.

    Args:
        host: the machine.
        root: read as root; without it much is empty, and checks that need it say so.

    Raises:
        LanpiError: FAILED when python3 is missing there or the probe broke, and what ``Host.run`` raises.
    """
    arguments = [f"--units={','.join(kept_units())}"]
    done = run_program(host, "lanpi.pi.evidence.collect", arguments, root=root, timeout_seconds=TIMEOUT_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return build_record(Evidence, json.loads(done.text) | {"asked_epoch": time.time()}, "evidence")
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error
