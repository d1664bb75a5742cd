"""Run on the Pi by lanpi-metrics.service: write its figures where the node exporter's textfile collector reads."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from lanpi.pi.files import write_whole
from lanpi.pi.im import api as im
from lanpi.pi.metrics import exposition
from lanpi.pi.read.source import Machine
from lanpi.pi.status import CONFIG, collect

FILE = "/run/lanpi-metrics/lanpi.prom"
"""In memory: figures that change every minute would wear the card."""


def figures(source: Machine, units: list[str]) -> Iterator[exposition.Sample]:
    """All figures that the Pi has about itself."""
    yield from exposition.samples(collect(source, units), {})
    # Not running: the figures say already that it is not active.
    with contextlib.suppress(OSError, ValueError):
        answer = im.call(im.domain_of(source.read_text(CONFIG)), "stats", name="processes")
        yield "lanpi_ejabberd_processes", {}, float(answer)


def main() -> None:
    """Command line: --units with commas."""
    parser = argparse.ArgumentParser(prog="metrics")
    parser.add_argument("--units", default="")
    options = parser.parse_args()
    found = figures(Machine(), [name for name in options.units.split(",") if name])
    # In one step: the exporter may read the file at any moment.
    write_whole(Path(FILE), exposition.exposition(found), mode=0o644)
