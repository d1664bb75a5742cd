"""Read a machine's facts in one round trip."""

import json
from collections.abc import Sequence

from lanpi.facts.model import Facts
from lanpi.facts.records import build_record
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

# apt-helper gives up after five seconds without an answer; a Pi 3 on a slow card needs the rest.
TIMEOUT_SECONDS = 120


def read_facts(
    host: Host,
    *,
    root: bool,
    check_mirror: bool = False,
    packages: Sequence[str] = (),
    units: Sequence[str] = (),
) -> Facts:
    """Read everything lanpi knows about a machine; changes nothing there.

    Args:
        host: the machine.
        root: read as root; without it, process names, some locks and 0600 files stay unseen.
        check_mirror: also try the package mirror (up to some seconds; ``mirror_reachable`` is
            None without).
        packages: package names whose installed versions go to ``Facts.packages.installed``.
        units: units whose "enabled/active" state goes to ``Facts.units``.

    Raises:
        LanpiError: FAILED when python3 is missing there or the probe broke, and what
            ``Host.run`` raises.
    """
    arguments = [f"--packages={','.join(packages)}", f"--units={','.join(units)}"]
    if check_mirror:
        arguments.append("--check-mirror")
    done = run_program(host, "lanpi.pi.facts", arguments, root=root, timeout_seconds=TIMEOUT_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return facts_from_json(done.text)
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error


def facts_from_json(text: str) -> Facts:
    """The probe's output as facts.

    Raises:
        ValueError: not JSON, or a value is missing, unknown or of another type.
    """
    return build_record(Facts, json.loads(text), "facts")
