"""The evidence that the checks examine: read in one round trip, judged in lanpi.doctor.checks."""

from dataclasses import dataclass

from lanpi.facts.model import Facts
from lanpi.logs.read import Entry


@dataclass(frozen=True)
class Unit:
    """A service as systemd reports it; ``restarts`` counts since it was last started by hand."""

    name: str
    active: str
    sub: str
    result: str
    restarts: int
    enabled: str


@dataclass(frozen=True)
class Usage:
    """Something and how much of it: bytes of a folder, per cent of one core of a program."""

    name: str
    amount: float


@dataclass(frozen=True)
class Certificate:
    """The server's certificate: end in seconds since the epoch, and the names and addresses in it."""

    path: str
    not_after: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """A file that lanpi placed and that has changed since."""

    path: str
    state: str  # "changed" or "missing"


@dataclass(frozen=True)
class Backup:
    """What the last backup recorded about itself; times in ISO 8601, empty for never."""

    last_success: str
    last_verified: str
    last_error: str


@dataclass(frozen=True)
class Evidence:
    """All evidence. ``None`` means that the machine does not report it."""

    facts: Facts
    asked_epoch: float  # the operator's clock when this was read
    units: dict[str, Unit]
    lines: tuple[Entry, ...]  # of the last day: warnings and worse, what systemd says, the kernel's
    crash_slogan: str  # of Erlang's crash dump in the last day; "" where there is none
    pressure: dict[str, float]  # "memory.full" -> avg60, per cent of time
    memory_available_bytes: int
    swap_free_bytes: int
    cores_busy_percent: float  # of all cores, during the reading
    busiest: tuple[Usage, ...]  # programs, per cent of one core
    inodes_free_percent: float
    biggest: tuple[Usage, ...]  # folders; only read when the disk is filling
    disk_wait_ms: float | None  # per request, during the reading; None without requests
    certificate: Certificate | None
    domain_resolves: bool | None
    firewall_same: bool | None  # None where lanpi placed none
    drift: tuple[Drift, ...]
    held: tuple[str, ...]
    security: tuple[str, ...]
    log_bytes: int
    log_bound_bytes: int | None
    backup: Backup | None
    redis: dict[str, str] | None  # INFO; None where it does not answer
    open_files: int | None  # of ejabberd
    open_files_bound: int | None
