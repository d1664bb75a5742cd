"""Power, temperature and clock: judged as always, with what an install makes of it."""

from collections.abc import Iterator
from dataclasses import replace

from lanpi.facts.model import Facts
from lanpi.health.finding import Finding
from lanpi.health.fitness.shared import as_preflight
from lanpi.health.judge.board import UNDER_VOLTAGE_BITS, power
from lanpi.health.table import TABLE


def findings(facts: Facts, *, now_epoch_seconds: float) -> Iterator[Finding]:
    """Power, throttling, temperature and clock."""
    flags = facts.hardware.throttled_flags
    if flags is None:
        yield Finding("power", "unknown", "this machine does not report power and throttling")
    else:
        # One judgement of one reading, told as two findings: low voltage, and what slows the processor.
        for id, bits, well in (
            ("power", flags & UNDER_VOLTAGE_BITS, "no under-voltage since boot"),
            ("throttling", flags & ~UNDER_VOLTAGE_BITS, "full speed since boot"),
        ):
            found = power(bits)
            yield as_preflight(replace(found, text=found.cause or found.text), id, well=well)
    [temperature] = TABLE["temperature"].from_facts(facts, now_epoch_seconds)
    yield as_preflight(temperature, "temperature", unknown="this machine does not report its temperature")
    yield _clock(facts, now_epoch_seconds)


def _clock(facts: Facts, now_epoch_seconds: float) -> Finding:
    [found] = TABLE["clock"].from_facts(facts, now_epoch_seconds)
    found = as_preflight(replace(found, cause=""), "clock", unknown="it is unknown whether the clock is kept right")
    if found.action == "clock":
        return replace(found, fix="lanpi sets the clock before any step that checks dates")
    return replace(found, fix="lanpi installs systemd-timesyncd") if found.action == "time-service" else found


def clock_offset_seconds(facts: Facts, now_epoch_seconds: float) -> float:
    """How far the Pi's clock is ahead of the operator's; negative when it is behind."""
    return facts.clock.epoch_seconds - now_epoch_seconds
