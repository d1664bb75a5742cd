"""Put the readings together and print them."""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from lanpi.pi.checks import history
from lanpi.pi.im import api as im
from lanpi.pi.read import board, certificate, limited, live, moved, ownership, services, system, upkeep
from lanpi.pi.read import units as unit_states
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

# Apart by this at least, two looks at the processor say something; longer would be felt by who waits.
CPU_SECONDS = 0.1
CONFIG = "/etc/lanpi/lanpi.yml"


def collect(
    source: Machine | Recorded,
    units: list[str],
    since_seconds: float = 0,
    owned: Sequence[ownership.Wanted] = (),
) -> dict[str, Any]:
    """What ``lanpi.health.readings.Readings`` holds (but the operator's clock), as plain data under the same names.

    Args:
        source: the machine.
        units: to tell about; names or patterns.
        since_seconds: of history to tell one by one.
        owned: files and folders, with whom they should belong to.
    """
    running = isinstance(source, Machine)
    # Before systemd has said which group is whose: it takes as long to say as the two looks have to be apart.
    before, began = services.group_cpu_seconds(source), time.monotonic()
    reading_units = _meanwhile(lambda: services.read_units(source, [*units, *system.TIME_SERVICES]))
    if isinstance(source, Machine):
        machine = source
        # Mostly waiting for another process, so begun before the rest and fetched after it.
        people = _meanwhile(lambda: _people(im.domain_of(source.read_text(CONFIG))))
        certificates = _meanwhile(lambda: certificate.certificates(machine, im.domain_of(source.read_text(CONFIG))))
        limited_now = _meanwhile(lambda: limited.limited(machine))
    about_board, links = _meanwhile(lambda: board.board(source)), _meanwhile(lambda: board.links(source))
    config_text = source.read_text(CONFIG)
    readings = {
        "hostname": source.hostname(),
        "epoch_seconds": source.epoch(),
        "is_root": source.is_root(),
        "installed": system.installed(source),
        "moved": moved.moved(source),
        "misowned": ownership.differing(owned) if running else [],
        "config_text": config_text,
        "backup": upkeep.backup(source),
        "limits_made_for": upkeep.limits_made_for(source),
        "logs_bytes": live.logs_bytes() if running else None,
        "security_updates": upkeep.security_updates(source),
        "reboot_reasons": upkeep.reboot_reasons(source),
    }
    blocks = reading_units()
    active = unit_states.states(blocks)
    clock = system.clock(source, active)
    readings |= {"clock_synchronised": clock["synchronised"], "time_service": clock["time_service"]}
    found_board = about_board()
    readings |= {"board": found_board, "links": links()}
    readings["history"] = history.history(source, source.epoch(), since_seconds, found_board)
    readings["people"] = people() if running else None
    shown = certificates() if running else None
    readings["certificate"] = shown
    readings["certificate_days_left"] = certificate.days_left(shown, source.epoch()) if shown else None
    readings["limited"] = limited_now() if running else []
    # The two looks at the processor are apart by at least this, whatever the rest took.
    if running:
        time.sleep(max(0.0, CPU_SECONDS - (time.monotonic() - began)))
    elapsed = time.monotonic() - began if running else 0.0
    after = services.group_cpu_seconds(source)
    readings["services"] = services.services(source, services.asked_for(blocks, units), before, after, elapsed)
    return readings


def _people(domain: str) -> dict[str, Any]:
    """People, with the messages of the last minute."""
    found = im.people(domain, 60)
    return found | {"sent_per_minute": found.pop("sent"), "received_per_minute": found.pop("received")}


def _meanwhile(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start work in a thread; what comes back waits for its result, and raises what it raised."""
    ended: list[tuple[Any, BaseException | None]] = []

    def run() -> None:
        try:
            ended.append((work(), None))
        except BaseException as error:
            ended.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> Any:
        thread.join()
        value, error = ended[0]
        if error:
            raise error
        return value

    return result


def main() -> None:
    """Command line: see the options' help."""
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("--root", default="", help="read a recorded machine in this folder")
    parser.add_argument("--units", default="", help="units to report on, separated by commas")
    parser.add_argument("--since", type=float, default=0, help="seconds of history to report sample by sample")
    parser.add_argument("--owned", default="[]", help="JSON: lists of path, owner, group, mode")
    options = parser.parse_args()
    source = Recorded(options.root) if options.root else Machine()
    units = [name for name in options.units.split(",") if name]
    owned = [tuple(each) for each in json.loads(options.owned)]
    json.dump(collect(source, units, options.since, owned), sys.stdout)
