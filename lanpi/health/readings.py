"""The readings of a Pi. ``None`` means that the machine does not report a value; nothing is guessed."""

from dataclasses import dataclass

from lanpi.facts.model import Installed, MovedOut
from lanpi.pi.checks.ring import Sample


@dataclass(frozen=True)
class Service:
    """A systemd unit."""

    unit: str
    type: str  # "simple", "notify", "oneshot", …; "" for timers and sockets
    active: str  # systemd's ActiveState: "active", "inactive", "failed", "activating", …
    sub: str
    enabled: str  # UnitFileState: "enabled", "disabled", "static", …
    result: str  # "success", "exit-code", "oom-kill", …
    since_epoch: float | None  # when it was started; where it is not active, when it entered its state
    restarts: int | None  # by systemd on its own, since somebody started it
    memory_bytes: int | None
    cpu_percent: float | None  # of one core, over the time of the reading
    written_bytes: int | None  # to disks, since it was started


@dataclass(frozen=True)
class People:
    """The messaging server's own figures."""

    registered: int | None
    online: int | None  # people with at least one session
    sessions: int | None
    answer_seconds: float | None  # how long ejabberd took to say who is there
    sent_per_minute: int | None  # between people, in the last minute, as the archive has it
    received_per_minute: int | None


@dataclass(frozen=True)
class Board:
    """The machine."""

    model: str
    cores: int
    is_virtual: bool
    is_container: bool  # shares its host's kernel, and so its clock
    uptime_seconds: float | None
    load: tuple[float, ...]  # over 1, 5 and 15 minutes; empty when not known
    memory_total_bytes: int
    memory_available_bytes: int | None
    swap_total_bytes: int
    swap_used_bytes: int
    zram_original_bytes: int | None  # size of what is in compressed memory …
    zram_used_bytes: int | None  # … and the memory that it takes there
    temperature_celsius: float | None
    throttled_flags: int | None  # the firmware's get_throttled
    disk_kind: str
    disk_total_bytes: int
    disk_free_bytes: int
    disk_read_only: bool
    disk_life_used_percent: int | None
    disk_written_bytes: int | None  # since the kernel started
    disk_written_ever_bytes: int | None  # since the file system was made


@dataclass(frozen=True)
class LinkNow:
    """A network interface with an address or a default route."""

    name: str
    wireless: bool
    up: bool
    default_route: bool
    addresses: tuple[str, ...]
    signal_dbm: int | None
    speed_mbit: int | None


@dataclass(frozen=True)
class BackupStatus:
    """What the backup recorded about itself; times are in ISO 8601, "" for never."""

    last_success: str
    last_verified: str
    key_saved: bool
    last_error: str


@dataclass(frozen=True)
class MadeFor:
    """The machine that the installed limits were decided for."""

    memory_bytes: int
    cores: int
    storage: str  # a kind of disk: "sd", "usb", "nvme", …


@dataclass(frozen=True)
class History:
    """What the checks on the Pi found (lanpi/checks). Times in seconds; ``samples`` only where they were asked for.

    Attributes:
        first_epoch, last_epoch: of the samples in the history.
        checks, passed: over the last day.
        unseen_seconds: time in the last day without checks, counted from the first check.
        last_error: of the last check when it failed, else "".
        failing_since: when they began to fail; None when the last one passed.
        latest_seconds, usual_seconds: part of the check -> how long it took last, and the day's median.
        peak_sessions_today: connected at once.
        messages_today: between people, as sent.
        written_today_bytes: writer -> bytes: ``disk`` for all programs, and ``ejabberd``, ``postgresql``, ``journal``.
        bad_since: key of a line -> since when its level has been warning or critical without a break.
    """

    first_epoch: float
    last_epoch: float
    checks: int
    passed: int
    unseen_seconds: float
    last_error: str
    failing_since: float | None
    latest_seconds: dict[str, float | None]
    usual_seconds: dict[str, float | None]
    peak_sessions_today: int | None
    messages_today: int | None
    written_today_bytes: dict[str, float | None]
    bad_since: dict[str, float]
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Shown:
    """What a TLS port shows to those who connect."""

    port: int
    sha256: str  # of the certificate; "" for none
    problem: str  # why there is none: "closed" where nobody listens; "" for none


@dataclass(frozen=True)
class Configured:
    """The certificate that ejabberd is configured with."""

    path: str
    sha256: str  # "" where there is a problem
    problem: str  # "is missing", "holds no certificate", …; "" for none
    days_left: float | None = None  # negative after its end


@dataclass(frozen=True)
class Certificates:
    """What clients are shown and what is configured (lanpi/pi/read/certificate.py)."""

    shown: tuple[Shown, ...]
    configured: Configured | None  # None where it cannot be told, or ejabberd sees to certificates itself (ACME)
    ends: float | None  # of the one that is shown, else of the configured one; seconds since the epoch
    names: tuple[str, ...]  # its names and addresses


@dataclass(frozen=True)
class Misowned:
    """A file that belongs to somebody else than it should, or has another mode."""

    path: str
    now: str  # "root:root 0600"
    wanted: str


@dataclass(frozen=True)
class Limited:
    """Somebody whom the Pi keeps out at the moment."""

    who: str  # an address
    by: str  # "ejabberd" after wrong passwords; else the firewall's set
    since: float | None  # seconds since the epoch
    until: float | None


@dataclass(frozen=True)
class Readings:
    """Everything read in one round trip."""

    hostname: str
    epoch_seconds: float  # the Pi's clock
    asked_epoch: float  # the operator's clock at that moment
    is_root: bool  # read as root; without root, people, logs and other users' figures cannot be read
    installed: Installed | None
    moved: MovedOut | None  # None where no server has moved out
    config_text: str | None  # /etc/lanpi/lanpi.yml
    services: tuple[Service, ...]
    people: People | None
    board: Board
    links: tuple[LinkNow, ...]
    certificate: Certificates | None
    certificate_days_left: float | None
    backup: BackupStatus | None
    limits_made_for: MadeFor | None
    history: History | None
    logs_bytes: int | None
    security_updates: tuple[str, ...] | None
    reboot_reasons: tuple[str, ...]
    clock_synchronised: bool | None
    time_service: str  # unit that keeps the clock, "" for none
    misowned: tuple[Misowned, ...]
    limited: tuple[Limited, ...]
