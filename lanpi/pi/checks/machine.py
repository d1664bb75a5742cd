"""The Pi's own figures at the moment of a check."""

import math

from lanpi.pi.checks.names import COARSE_SECONDS
from lanpi.pi.checks.ring import Sample
from lanpi.pi.im import api as im
from lanpi.pi.read import board, services
from lanpi.pi.read.source import Machine

ERLANG, JOURNAL = "ejabberd.service", "systemd-journald.service"


def sample(source: Machine, domain: str, now: float, before: Sample | None) -> Sample:
    """The figures; None for what the machine does not report.

    Args:
        source: the machine.
        domain: of ejabberd.
        now: the machine's clock.
        before: the last sample, since when messages are counted; None where there is none.
    """
    span = now - before.epoch if before else 0.0
    if not 0 < span <= COARSE_SECONDS:
        # The first sample, or the first after a pause: what happened in between does not belong to this moment.
        span = 60.0
    found = board.board(source)
    people = im.people(domain, span)
    load = found["load"]
    written = {
        name: services.written_bytes(source, group, by_process=name != services.POSTGRESQL)
        for name, group in _groups(source).items()
    }
    return Sample(
        epoch=math.floor(now),
        span=round(span),
        memory_available=found["memory_available_bytes"],
        swap_used=found["swap_used_bytes"] if found["swap_total_bytes"] else None,
        disk_free=found["disk_free_bytes"],
        disk_written=found["disk_written_bytes"],
        ejabberd_written=written.get(ERLANG),
        postgresql_written=written.get(services.POSTGRESQL),
        journal_written=written.get(JOURNAL),
        load=load[1] if len(load) > 1 else None,
        temperature=found["temperature_celsius"],
        registered=people["registered"],
        people=people["online"],
        sessions=people["sessions"],
        answer=people["answer_seconds"],
        sent=people["sent"],
        received=people["received"],
    )


def _groups(source: Machine) -> dict[str, str]:
    """The control groups of the units that write, by the beginning of their names."""
    return {
        unit: group
        for group in services.groups(source)
        for unit in (ERLANG, JOURNAL, services.POSTGRESQL)
        if group.rpartition("/")[2].startswith(unit)
    }
