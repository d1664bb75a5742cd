"""Put the evidence together and print it."""

import argparse
import json
import sys
from typing import Any

from lanpi.pi import facts
from lanpi.pi.evidence import machine, services, upkeep
from lanpi.pi.read.source import Machine


def collect(source: Machine, units: list[str]) -> dict[str, Any]:
    """Everything that lanpi.health.evidence.Evidence holds but the operator's clock."""
    known = facts.collect(source, package_names=[], unit_names=units, check_mirror=False)
    memory = machine.meminfo(source)
    opened, bound = services.open_files(source)
    domain = (known["installed"] or {}).get("domain", "")
    return {
        "facts": known,
        "units": services.units(source, units),
        "lines": services.telling_lines(source),
        "crash_slogan": services.crash_slogan(source),
        "pressure": machine.pressure(source),
        "memory_available_bytes": memory.get("MemAvailable", 0),
        "swap_free_bytes": memory.get("SwapFree", 0),
        **machine.sample(source),
        **machine.space(source, known["storage"]["root_fstype"]),
        "certificate": upkeep.certificate(source),
        "domain_resolves": upkeep.resolves(source, domain),
        "firewall_same": upkeep.firewall_same(source),
        "drift": upkeep.drift(source),
        "held": upkeep.held(source),
        "security": upkeep.security(source),
        "log_bytes": machine.log_bytes(),
        "log_bound_bytes": upkeep.log_bound(source),
        "backup": upkeep.backup(source),
        "redis": services.redis(source),
        "open_files": opened,
        "open_files_bound": bound,
    }


def main() -> None:
    """Command line: --units with commas."""
    parser = argparse.ArgumentParser(prog="doctor")
    parser.add_argument("--units", default="")
    options = parser.parse_args()
    json.dump(collect(Machine(), [name for name in options.units.split(",") if name]), sys.stdout)
