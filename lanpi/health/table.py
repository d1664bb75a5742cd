"""The health table: what is judged, from which reading, by which function, and who asks for it.

Status, doctor and preflight choose from it; so they cannot judge the same reading in two ways. Doctor's checks look
deeper (lanpi/health/deeper) and may find more; preflight asks a few questions of its own (lanpi/health/fitness).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from lanpi.facts.model import Facts, Link
from lanpi.health.finding import Finding
from lanpi.health.judge import board, history, services, upkeep
from lanpi.health.readings import LinkNow, MadeFor, Readings, Service
from lanpi.pi.im.api import database_of
from lanpi.pi.read.services import POSTGRESQL
from lanpi.spans import duration

Reading = TypeVar("Reading")
BACKUP_TIMER = "lanpi-backup.timer"


@dataclass(frozen=True)
class Entry(Generic[Reading]):
    """One subject.

    Attributes:
        id: stable name.
        title: for people.
        reads: what is looked at, for the reference.
        judge: one reading in, findings out; pure.
        doctor: id of the check of doctor that includes it; "" for what is only shown.
        section: of status; "" where status does not show it.
        preflight: ids of preflight's findings that are judged by it.
        of_readings: the reading, out of what status reads; None where status does not read it.
        of_facts: the reading, out of the facts and the operator's clock; None where preflight does not ask.
        always: also shown of a Pi without lanpi, or whose server has moved.
    """

    id: str
    title: str
    reads: str
    judge: Callable[[Reading], Finding | tuple[Finding, ...]]
    doctor: str = ""
    section: str = ""
    preflight: tuple[str, ...] = ()
    of_readings: Callable[[Readings], Reading] | None = None
    of_facts: Callable[[Facts, float], Reading] | None = None
    always: bool = False

    def judged(self, reading: Reading) -> tuple[Finding, ...]:
        """The findings about a reading, marked as this entry's."""
        found = self.judge(reading)
        found = found if isinstance(found, tuple) else (found,)
        return tuple(replace(each, entry=self.id, label=each.label or self.title) for each in found)

    def from_facts(self, facts: Facts, now_epoch_seconds: float) -> tuple[Finding, ...]:
        """As preflight has it, out of facts that were read when it was ``now_epoch_seconds`` here."""
        assert self.of_facts is not None, self.id
        return self.judged(self.of_facts(facts, now_epoch_seconds))


def _core(unit: str) -> Callable[[Readings], services.Core]:
    def pick(readings: Readings) -> services.Core:
        found = tuple(service for service in readings.services if service.unit == unit)
        return services.Core(unit, found, readings.epoch_seconds, readings.moved is not None)

    return pick


def _clusters(readings: Readings) -> tuple[Service, ...]:
    return tuple(service for service in readings.services if service.unit.startswith(POSTGRESQL))


def _database(readings: Readings) -> services.Core | None:
    # Somebody else's cluster is none of lanpi's business.
    if database_of(readings.config_text) != "postgresql":
        return None
    return services.Core(POSTGRESQL, _clusters(readings), readings.epoch_seconds, readings.moved is not None)


def _web(readings: Readings) -> services.Core | None:
    # A Pi of an earlier lanpi has no nginx, and misses nothing.
    found = tuple(service for service in readings.services if service.unit == services.WEB)
    return services.Core(services.WEB, found, readings.epoch_seconds, readings.moved is not None) if found else None


def _others(readings: Readings) -> services.Others:
    core = (services.SERVER, services.CACHE, services.WEB)
    found = tuple(
        service for service in readings.services if service.unit not in core and not service.unit.startswith(POSTGRESQL)
    )
    return services.Others(found, readings.epoch_seconds)


def _checked(readings: Readings) -> history.Checked:
    return history.Checked(readings.history, readings.epoch_seconds)


def _served(readings: Readings) -> upkeep.Served:
    runs = any(each.unit == services.SERVER and each.active == "active" for each in readings.services)
    domain = readings.installed.domain if readings.installed else ""
    return upkeep.Served(readings.certificate, readings.certificate_days_left, domain, runs)


def _backups(readings: Readings) -> upkeep.Backups:
    timer = next((each.active for each in readings.services if each.unit == BACKUP_TIMER), None)
    return upkeep.Backups(readings.backup, timer, readings.is_root, readings.epoch_seconds)


def _fit(readings: Readings) -> upkeep.Fit:
    there = readings.board
    return upkeep.Fit(readings.limits_made_for, MadeFor(there.memory_total_bytes, there.cores, there.disk_kind))


def _clock(readings: Readings) -> upkeep.Clocks:
    ahead = readings.epoch_seconds - readings.asked_epoch
    return upkeep.Clocks(ahead, readings.clock_synchronised, readings.time_service, readings.board.is_container)


def link_now(link: Link) -> LinkNow:
    """A link as facts have it, without its speed."""
    return LinkNow(link.name, link.wireless, link.up, link.default_route, link.addresses, link.signal_dbm, None)


def _links(links: tuple[LinkNow, ...]) -> tuple[Finding, ...]:
    return tuple(board.link(each) for each in links)


ENTRIES: tuple[Entry[Any], ...] = (
    Entry(
        "moved",
        "Moved",
        "the note that a migration leaves on the old Pi",
        upkeep.moved,
        "moved",
        "Services",
        of_readings=lambda r: r.moved,
        always=True,
    ),
    Entry(
        "install",
        "Install",
        "what lanpi's last install noted",
        upkeep.install,
        "installed",
        "Services",
        of_readings=lambda r: r.installed,
    ),
    Entry(
        "im",
        "ejabberd",
        "systemd's state of ejabberd",
        services.core,
        "im",
        "Services",
        of_readings=_core(services.SERVER),
    ),
    Entry(
        "redis",
        "redis-server",
        "systemd's state of Redis",
        services.core,
        "redis",
        "Services",
        of_readings=_core(services.CACHE),
    ),
    Entry(
        "database",
        "postgresql",
        "systemd's state of PostgreSQL's cluster, where lanpi uses it",
        services.core,
        "database",
        "Services",
        of_readings=_database,
    ),
    Entry(
        "web",
        "nginx",
        "systemd's state of the web server",
        services.core,
        "web",
        "Services",
        of_readings=_web,
    ),
    Entry(
        "units",
        "Others",
        "systemd's state of lanpi's other units and of ssh",
        services.others,
        "units",
        "Services",
        of_readings=_others,
    ),
    Entry(
        "ownership",
        "Ownership",
        "owner, group and mode of the files that the services need",
        upkeep.ownership,
        "ownership",
        "Services",
        of_readings=lambda r: r.misowned,
    ),
    Entry(
        "connections",
        "People",
        "ejabberd's sessions, its answer's time, its database",
        history.connections,
        "messages",
        "People",
        of_readings=lambda r: history.Connections(r.people, r.is_root),
    ),
    Entry(
        "limited",
        "Kept out",
        "ejabberd's bans, and the firewall's sets `…_limited4` and `…_limited6`",
        upkeep.limited,
        "logins",
        "People",
        of_readings=lambda r: upkeep.KeptOut(r.limited, r.epoch_seconds),
    ),
    Entry(
        "availability",
        "Messages are delivered",
        "the history of the Pi's own checks",
        history.availability,
        "messages",
        "Checks",
        of_readings=_checked,
    ),
    Entry(
        "latency",
        "Takes",
        "how long the parts of the last check took",
        history.latency,
        "messages",
        "Checks",
        of_readings=_checked,
    ),
    Entry("today", "Today", "the day's figures out of the history", history.today, "", "Checks", of_readings=_checked),
    Entry(
        "model", "Model", "the board and its uptime", board.model, "", "Pi", of_readings=lambda r: r.board, always=True
    ),
    Entry(
        "load",
        "Load",
        "/proc/loadavg, by core",
        board.load,
        "cpu",
        "Pi",
        of_readings=lambda r: board.Load(r.board.load, r.board.cores),
        always=True,
    ),
    Entry(
        "memory",
        "Memory",
        "memory that is available",
        board.memory,
        "memory",
        "Pi",
        of_readings=lambda r: board.Room(r.board.memory_available_bytes, r.board.memory_total_bytes),
        always=True,
    ),
    Entry(
        "swap",
        "Swap",
        "swap in use",
        board.swap,
        "memory",
        "Pi",
        of_readings=lambda r: board.SwapUse(
            r.board.swap_total_bytes, r.board.swap_used_bytes, r.board.zram_original_bytes, r.board.zram_used_bytes
        ),
        always=True,
    ),
    Entry(
        "temperature",
        "Temperature",
        "the processor's temperature",
        board.temperature,
        "heat",
        "Pi",
        ("temperature",),
        lambda r: r.board.temperature_celsius,
        lambda f, _: f.hardware.temperature_celsius,
        always=True,
    ),
    Entry(
        "power",
        "Power",
        "the firmware's get_throttled",
        board.power,
        "power",
        "Pi",
        ("power", "throttling"),
        lambda r: r.board.throttled_flags,
        lambda f, _: f.hardware.throttled_flags,
        always=True,
    ),
    Entry(
        "read-only",
        "Disk",
        "how the root file system is mounted",
        board.read_only,
        "card",
        "Pi",
        ("storage-writable",),
        lambda r: r.board.disk_read_only,
        lambda f, _: f.storage.read_only,
        always=True,
    ),
    Entry(
        "disk",
        "Disk",
        "what is free on the root file system",
        board.disk,
        "disk-full",
        "Pi",
        ("storage-space",),
        lambda r: board.Room(r.board.disk_free_bytes, r.board.disk_total_bytes),
        lambda f, _: board.Room(f.storage.root_free_bytes, f.storage.root_total_bytes),
        always=True,
    ),
    Entry(
        "wear",
        "Wear",
        "the storage's own estimate of its life",
        board.wear,
        "wear",
        "Pi",
        ("storage-life",),
        lambda r: board.Wear(
            r.board.disk_life_used_percent,
            r.board.disk_written_bytes,
            r.board.disk_written_ever_bytes,
            r.board.uptime_seconds,
        ),
        lambda f, _: board.Wear(f.storage.life_used_percent, None, None, None),
        always=True,
    ),
    Entry(
        "links",
        "Network",
        "each interface: up, its speed, its Wi-Fi signal",
        _links,
        "wifi",
        "Network",
        ("network",),
        lambda r: r.links,
        lambda f, _: tuple(map(link_now, f.links)),
        always=True,
    ),
    Entry(
        "certificate",
        "Certificate",
        "the certificate that clients are shown: its end and its names",
        upkeep.certificate,
        "certificate",
        "Upkeep",
        of_readings=_served,
    ),
    Entry(
        "certificate-served",
        "Certificate shown",
        "the certificate that is configured, and the ones that ports 5223 and 443 show",
        upkeep.served,
        "certificate",
        "Upkeep",
        of_readings=_served,
    ),
    Entry("backup", "Backup", "what the last backups noted", upkeep.backup, "backup", "Upkeep", of_readings=_backups),
    Entry(
        "limits",
        "Limits",
        "the machine that the limits were made for",
        upkeep.limits,
        "limits",
        "Upkeep",
        of_readings=_fit,
    ),
    Entry(
        "logs",
        "Logs",
        "what /var/log takes, against logs.max_mb",
        upkeep.logs,
        "logs",
        "Upkeep",
        of_readings=lambda r: upkeep.Logs(r.logs_bytes, upkeep.log_bound_bytes(r.config_text)),
    ),
    Entry(
        "security",
        "Security upgrades",
        "apt's package lists",
        upkeep.security_updates,
        "security",
        "System",
        of_readings=lambda r: r.security_updates,
        always=True,
    ),
    Entry(
        "reboot",
        "Reboot",
        "/run/reboot-required, kernels, the kernel's command line",
        upkeep.reboot,
        "reboot",
        "System",
        of_readings=lambda r: r.reboot_reasons,
        always=True,
    ),
    Entry(
        "clock",
        "Clock",
        "the Pi's clock against this machine's, and what keeps it right",
        upkeep.clock,
        "clock",
        "System",
        ("clock",),
        _clock,
        lambda f, now: upkeep.Clocks(
            f.clock.epoch_seconds - now, f.clock.synchronised, f.clock.time_service, f.hardware.is_container
        ),
        always=True,
    ),
    Entry(
        "packages",
        "Packages",
        "dpkg's state",
        upkeep.packages,
        "packages",
        "",
        ("dpkg-state",),
        None,
        lambda f, _: f.packages,
    ),
    Entry(
        "swap-owners",
        "Swap",
        "the programs that manage swap",
        upkeep.swap_owners,
        "swap",
        "",
        ("swap",),
        None,
        lambda f, _: f.swap,
    ),
    Entry(
        "memory-limits",
        "Memory limits",
        "the kernel's memory cgroup",
        upkeep.memory_limits,
        "cgroup",
        "",
        ("memory-limits",),
        None,
        lambda f, _: upkeep.Enforcement(f.boot, f.hardware.is_container),
    ),
)
"""In the order in which status shows them."""

TABLE: dict[str, Entry[Any]] = {entry.id: entry for entry in ENTRIES}


def is_installed(readings: Readings) -> bool:
    """Whether lanpi has left anything on the Pi."""
    return readings.config_text is not None or readings.installed is not None


def judge_readings(readings: Readings) -> tuple[Finding, ...]:
    """Everything that can be said from status's readings; both status and doctor begin with it.

    Of a Pi without lanpi, and of one whose server has moved, only what holds for any machine is judged, and that the
    server that moved stays off.
    """
    gone = readings.moved is not None
    apart = gone or not is_installed(readings)
    asked = [
        entry
        for entry in ENTRIES
        if entry.of_readings and (not apart or entry.always or (entry.id == "im" if gone else entry.id == "install"))
    ]
    found = [each for entry in asked if entry.of_readings for each in entry.judged(entry.of_readings(readings))]
    return tuple(_with_since(each, readings) for each in found)


def _with_since(finding: Finding, readings: Readings) -> Finding:
    """A finding that is bad says for how long, where the history knows."""
    since = readings.history.bad_since.get(finding.id) if readings.history else None
    if since is None or not finding.is_bad:
        return finding
    return replace(finding, text=f"{finding.text}, for {duration(readings.epoch_seconds - since)}")


def judge_facts(facts: Facts, now_epoch_seconds: float) -> tuple[Finding, ...]:
    """What doctor judges from facts alone, since status does not read it."""
    asked = [entry for entry in ENTRIES if entry.of_readings is None]
    return tuple(each for entry in asked for each in entry.from_facts(facts, now_epoch_seconds))
