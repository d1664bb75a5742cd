"""Put the facts together and print them."""

import argparse
import json
import sys
from typing import Any

from lanpi.pi.read import moved, network, packages, storage, system, units
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine


def collect(
    source: Machine | Recorded, *, package_names: list[str], unit_names: list[str], check_mirror: bool
) -> dict[str, Any]:
    """Everything that ``lanpi.facts.model.Facts`` holds, as plain data under the same names."""
    asked = [*system.TIME_SERVICES, *unit_names]
    states = units.states(units.show(source, asked))
    status = packages.read_status(source)
    release = system.operating_system(source)
    return {
        "hostname": source.hostname(),
        "os": release,
        "hardware": system.hardware(source),
        "storage": storage.storage(source),
        "swap": storage.swap(source, status[0]),
        "links": network.links(source),
        "listeners": network.listeners(source),
        "clock": system.clock(source, states),
        "packages": packages.packages(source, status, package_names, release["codename"], check_mirror),
        "boot": system.boot(source),
        "units": {unit: states[unit] for unit in unit_names if unit in states},
        "installed": system.installed(source),
        "moved": moved.moved(source),
        "config_text": source.read_text("/etc/lanpi/lanpi.yml"),
        "is_root": source.is_root(),
    }


def main() -> None:
    """Command line: see the options' help."""
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("--root", default="", help="read a recorded machine in this folder")
    parser.add_argument("--check-mirror", action="store_true", help="check that the package mirror answers")
    parser.add_argument("--packages", default="", help="packages whose versions to report, separated by commas")
    parser.add_argument("--units", default="", help="units whose state to report, separated by commas")
    options = parser.parse_args()
    facts = collect(
        Recorded(options.root) if options.root else Machine(),
        package_names=[name for name in options.packages.split(",") if name],
        unit_names=[name for name in options.units.split(",") if name],
        check_mirror=options.check_mirror,
    )
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    main()
