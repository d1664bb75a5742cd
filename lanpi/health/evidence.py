"""The evidence that doctor examines: status's readings and what lies behind them, read in one round trip."""

from dataclasses import dataclass

from lanpi.facts.model import Facts
from lanpi.health.readings import Readings
from lanpi.logs.read import Entry


@dataclass(frozen=True)
class Usage:
    """Something and how much of it: bytes of a folder or file, per cent of one core of a program."""

    name: str
    amount: float


@dataclass(frozen=True)
class Drift:
    """A file that lanpi placed and that is not as it was placed."""

    path: str
    state: str  # "changed" or "missing"


@dataclass(frozen=True)
class Biggest:
    """What fills the disk, the largest first; only looked for when it is filling."""

    folders: tuple[Usage, ...]
    files: tuple[Usage, ...]


@dataclass(frozen=True)
class LookedUp:
    """A try to look up a name, with the servers that the Pi asks."""

    name: str
    found: bool
    servers: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """All of it. ``None`` means that the machine cannot tell."""

    readings: Readings  # the same that status judges
    facts: Facts
    lines: tuple[Entry, ...]  # of the last day: warnings and worse, what systemd says, the kernel's
    crash_slogan: str  # of Erlang's crash dump of the last day, "" without
    pressure: dict[str, float]  # "memory.full" -> avg60, per cent of time
    cores_busy_percent: float  # of all cores, while it was looked
    busiest: tuple[Usage, ...]  # programs, per cent of one core
    inodes_free_percent: float
    biggest: Biggest
    disk_wait_ms: float | None  # per request, while it was looked; None without requests
    domain_resolves: bool | None
    looked_up: LookedUp | None  # None where nothing was there to look up
    firewall_same: bool | None  # None where lanpi placed none
    drift: tuple[Drift, ...]
    held: tuple[str, ...]
    redis: dict[str, str] | None  # INFO; None where it does not answer
    open_files: int | None  # of ejabberd
    open_files_bound: int | None
