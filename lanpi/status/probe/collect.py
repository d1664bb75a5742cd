"""Put the readings together and print them."""

import argparse
import json
import sys
import time
from typing import Any

from lanpi.facts.probe import system
from lanpi.facts.probe.recorded import Recorded
from lanpi.facts.probe.source import Machine

from . import board, history, im, live, services, upkeep

# Apart by this at least, two looks at the processor say something; longer would be felt by who waits.
CPU_SECONDS = 0.1


def collect(source: Machine | Recorded, units: list[str], since_seconds: float = 0) -> dict[str, Any]:
    """Everything that ``lanpi.status.model.Readings`` holds, as plain data under the same names."""
    running = isinstance(source, Machine)
    blocks = services.read_units(source, [*units, *system.TIME_SERVICES])
    before, began = services.cpu_seconds(source, blocks), time.monotonic()
    config_text = source.read_text("/etc/lanpi/lanpi.yml")
    domain = im.domain_of(config_text)
    active = {block["Id"]: f"{block['UnitFileState']}/{block['ActiveState']}" for block in blocks}
    clock = system.clock(source, active)
    readings = {
        "hostname": source.hostname(),
        "epoch_seconds": source.epoch(),
        "is_root": source.is_root(),
        "installed": system.installed(source),
        "config_text": config_text,
        "people": im.people(domain) if running else None,
        "board": board.board(source),
        "links": board.links(source),
        "certificate_days_left": live.certificate_days_left(domain) if running else None,
        "backup": upkeep.backup(source),
        "history": history.history(source, source.epoch(), since_seconds),
        "limits_made_for": upkeep.limits_made_for(source),
        "logs_bytes": live.logs_bytes() if running else None,
        "security_updates": upkeep.security_updates(source),
        "reboot_reasons": upkeep.reboot_reasons(source),
        "clock_synchronised": clock["synchronised"],
    }
    # The two looks at the processor are apart by at least this, whatever the rest took.
    if running:
        time.sleep(max(0.0, CPU_SECONDS - (time.monotonic() - began)))
    elapsed = time.monotonic() - began if running else 0.0
    used = services.cpu_seconds(source, blocks)
    wanted = [block for block in blocks if block["Id"] in units]
    readings["services"] = services.services(source, wanted, before, used, elapsed)
    return readings


def main() -> None:
    """Command line: see the options' help."""
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("--root", default="", help="read a recorded machine in this folder")
    parser.add_argument("--units", default="", help="units to tell about, with commas")
    parser.add_argument("--since", type=float, default=0, help="seconds of history to tell one by one")
    options = parser.parse_args()
    source = Recorded(options.root) if options.root else Machine()
    json.dump(collect(source, [name for name in options.units.split(",") if name], options.since), sys.stdout)
