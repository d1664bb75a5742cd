"""Put together what doctor looks at: status's readings, the facts, and what only it asks for; and print it."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from lanpi.pi import facts, status
from lanpi.pi.read import fullness, ownership, placed, pressure, servers
from lanpi.pi.read.source import Machine


def collect(source: Machine, units: list[str], owned: Sequence[ownership.Wanted]) -> dict[str, Any]:
    """What ``lanpi.health.evidence.Evidence`` holds, but the operator's clock; arguments as of status.collect."""
    known = facts.collect(source, package_names=[], unit_names=[], check_mirror=False)
    opened, bound = servers.open_files(source)
    fstype = known["storage"]["root_fstype"]
    readings = status.collect(source, units, owned=owned)
    found = {
        "readings": readings,
        "facts": known,
        "lines": servers.telling_lines(source),
        "crash_slogan": servers.crash_slogan(source),
        "pressure": pressure.pressure(source),
        **pressure.sample(source),
        "inodes_free_percent": fullness.inodes_free_percent(),
        "biggest": fullness.biggest(source, fstype),
        "domain_resolves": placed.resolves(source, (known["installed"] or {}).get("domain", "")),
        "looked_up": placed.looks_up(source, known["packages"]["debian_uri"]),
        "firewall_same": placed.firewall_same(source),
        "drift": placed.drift(source),
        "held": placed.held(source),
        "redis": servers.redis(source),
        "open_files": opened,
        "open_files_bound": bound,
    }
    # The clock of the readings is compared with the operator's, who gets them only now.
    return found | {"seconds_since": max(source.epoch() - readings["epoch_seconds"], 0.0)}


def main() -> None:
    """Command line: --units with commas, --owned as of lanpi.pi.status."""
    parser = argparse.ArgumentParser(prog="doctor")
    parser.add_argument("--units", default="")
    parser.add_argument("--owned", default="[]")
    options = parser.parse_args()
    owned = [tuple(each) for each in json.loads(options.owned)]
    json.dump(collect(Machine(), [name for name in options.units.split(",") if name], owned), sys.stdout)
