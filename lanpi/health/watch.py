"""Read a Pi repeatedly: one connection, opened again when it breaks, and the latest readings."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.pi.sizes import MB

if TYPE_CHECKING:
    from lanpi.health.finding import Finding
    from lanpi.health.readings import Readings
    from lanpi.health.status import Report

KEPT = 60
"""Readings that a sparkline draws."""

BLOCKS = "▁▂▃▄▅▆▇█"


class Watched:
    """A target that is read repeatedly.

    Args:
        target: as the user named it.
        connect: opens the connection; called again after a failure, at the next look.
        may_be_root: read as root where the login allows it.
        deep: also send a message between two accounts made for it.
        since_seconds: of history to read sample by sample.
        complete: makes the commands in a text ready to be pasted, see :mod:`lanpi.hints`.
    """

    def __init__(
        self,
        target: str,
        connect: Callable[[], AbstractContextManager[Host]],
        *,
        may_be_root: bool = True,
        deep: bool = False,
        since_seconds: float = 0,
        complete: Callable[[str], str] = str,
    ) -> None:
        self.target = target
        self._connect = connect
        self._may_be_root = may_be_root
        self._deep = deep
        self._since_seconds = since_seconds
        self._complete = complete
        self.asking = threading.Event()  # set after the first attempt to read the Pi, whether it answered or not
        self._open: ExitStack | None = None
        self._host: Host | None = None
        self.recent: deque[Readings] = deque(maxlen=KEPT)
        self.last: Report | None = None

    def look(self) -> "Report":
        """The status now; for a target that does not answer, that fact and the reason."""
        try:
            if self._host is None:
                with ExitStack() as stack:
                    self._host = stack.enter_context(self._connect())
                    self._open = stack.pop_all()
            self.asking.set()
            root = self._may_be_root and self._host.can_be_root

            from lanpi.health.read import read_status  # noqa: PLC0415

            readings = read_status(self._host, root=root, since_seconds=self._since_seconds)

            from lanpi.health.status import is_installed, judge  # noqa: PLC0415

            more = _deep_lines(self._host, readings) if self._deep and is_installed(readings) else ()
        except LanpiError as error:
            self.asking.set()

            from lanpi.health.status import unreachable  # noqa: PLC0415

            self.close()
            return unreachable(self.target, self._complete(f"{error.what}. {error.next_step}".strip(". ")))
        self.recent.append(readings)
        self.last = judge(self.target, readings, more).completed(self._complete)
        return self.last

    def close(self) -> None:
        """End the connection, if there is one."""
        opened, self._open, self._host = self._open, None, None
        if opened:
            opened.close()


def _deep_lines(host: Host, readings: "Readings") -> "tuple[Finding, ...]":
    # Slow to import, and most readings do without.
    from lanpi.health.deep import deep_lines  # noqa: PLC0415

    return deep_lines(host, readings)


def sparkline(values: list[float | None]) -> str:
    """Values as a row of blocks between their lowest and their highest; a gap for None."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    steps = len(BLOCKS) - 1
    return "".join(
        " " if value is None else BLOCKS[round((value - low) / (high - low) * steps) if high > low else 0]
        for value in values
    )


def trends(recent: "list[Readings]") -> dict[str, list[float | None]]:
    """What the live screen draws, by label; figures that were never known are left out."""
    figures: dict[str, Callable[[Readings], float | None]] = {
        "ejabberd CPU %": lambda each: _service(each, "cpu_percent"),
        "ejabberd MB": lambda each: _megabytes(_service(each, "memory_bytes")),
        "Available MB": lambda each: _megabytes(each.board.memory_available_bytes),
        "Load": lambda each: each.board.load[0] if each.board.load else None,
        "Temperature °C": lambda each: each.board.temperature_celsius,
        "Sessions": lambda each: each.people.sessions if each.people else None,
        "Messages/min": lambda each: each.people.sent_per_minute if each.people else None,
    }
    drawn = {label: [figure(each) for each in recent] for label, figure in figures.items()}
    return {label: values for label, values in drawn.items() if any(value is not None for value in values)}


def _megabytes(count: float | None) -> float | None:
    return None if count is None else count / MB


def _service(readings: "Readings", name: str) -> float | None:
    for service in readings.services:
        if service.unit == "ejabberd.service":
            value: float | None = getattr(service, name)
            return value
    return None
