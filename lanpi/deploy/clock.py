"""The Pi's clock, set from this machine's."""

import time

from lanpi.facts.model import Facts
from lanpi.hosts.base import Host
from lanpi.progress import Progress

CLOCK_TOLERANCE_SECONDS = 60.0
"""Apt and TLS tolerate a minute; beyond that, lanpi sets the Pi's clock from this machine's."""


def set_clock(host: Host, facts: Facts, report: Progress) -> None:
    """A Pi has no battery clock: until the network tells it the time, it gets this machine's time."""
    off = facts.clock.epoch_seconds - time.time()
    if facts.clock.synchronised or abs(off) <= CLOCK_TOLERANCE_SECONDS:
        return
    report.begin("Setting the clock")
    host.run(["date", "-u", "-s", f"@{time.time():.0f}"], root=True)
    report.end(f"it was off by {abs(off):.0f} s")
