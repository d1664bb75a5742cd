"""What lanpi knows about a Pi: read in one round trip, decided upon nowhere here.

``None`` means that the machine cannot tell, never a guess.
"""

from dataclasses import dataclass
from typing import Literal

StorageKind = Literal["sd", "emmc", "usb", "nvme", "disk", "virtual", "unknown"]
SwapOwner = Literal["rpi-swap", "dphys-swapfile", "zram-generator", "other", "none"]


@dataclass(frozen=True)
class OperatingSystem:
    """From /etc/os-release and friends."""

    id: str  # "debian", "raspbian" (32-bit Raspberry Pi OS), …
    codename: str  # "trixie"
    version: str  # "13"
    pretty_name: str
    architecture: str  # dpkg's name: "arm64", "amd64", "armhf"
    kernel: str
    page_size_bytes: int
    is_raspberry_pi_os: bool  # /etc/rpi-issue is there
    missing_modules: tuple[str, ...]  # what its Python lacks of what lanpi needs there: python3-minimal lacks much


@dataclass(frozen=True)
class Hardware:
    """The board, its memory and its health sensors."""

    model: str  # /proc/device-tree/model, else DMI product name, else "unknown"
    memory_bytes: int  # what the system can use: MemTotal, or the container's cap if smaller
    cores: int
    temperature_celsius: float | None
    throttled_flags: int | None  # vcgencmd get_throttled
    is_virtual: bool  # systemd-detect-virt says container or vm: no board, no card and no clock speed of its own
    is_container: bool  # and which of the two: a container shares its host's kernel, swap and clock


@dataclass(frozen=True)
class Storage:
    """The device under the root file system and the space on it."""

    kind: StorageKind
    device: str
    device_bytes: int | None
    root_total_bytes: int
    root_free_bytes: int
    root_fstype: str
    mount_options: tuple[str, ...]
    read_only: bool
    life_used_percent: int | None  # eMMC/SD life time estimate, in steps of 10


@dataclass(frozen=True)
class Swap:
    """Swap areas and who set them up."""

    owner: SwapOwner
    total_bytes: int
    zram_bytes: int
    owners: tuple[SwapOwner, ...] = ()  # all of them; more than one is a misconfiguration


@dataclass(frozen=True)
class Link:
    """A network interface that carries a default route or an address."""

    name: str
    wireless: bool
    up: bool
    addresses: tuple[str, ...]  # without prefix length; link-local excluded
    signal_dbm: int | None
    default_route: bool = False
    power_save: bool | None = None  # Wi-Fi only, and only where iw is installed


@dataclass(frozen=True)
class Listener:
    """A TCP or UDP port in use and by whom."""

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    process: str  # "" when it cannot be seen (not root)


@dataclass(frozen=True)
class Clock:
    """The Pi's idea of time."""

    epoch_seconds: float
    synchronised: bool | None
    time_service: str  # unit name of the active one, "" if none


@dataclass(frozen=True)
class Packages:
    """dpkg and apt as they are right now."""

    lock_holder: str  # "apt-get (pid 123)", "" when free
    lists_age_seconds: float | None  # since the last apt-get update; None: never
    half_configured: tuple[str, ...]
    installed: dict[str, str]  # name -> version, of the packages lanpi cares about
    debian_uri: str  # of the source that carries the Debian suite
    debian_signed_by: str
    mirror_reachable: bool | None  # None where it was not asked for
    interrupted: bool = False  # dpkg was cut off while it wrote: "dpkg --configure -a" is due


@dataclass(frozen=True)
class Boot:
    """Firmware and kernel command line."""

    cmdline_path: str  # /boot/firmware/cmdline.txt, "" where there is none
    cmdline: str  # the file's text
    kernel_cmdline: str  # /proc/cmdline
    memory_cgroup: bool  # memory limits are enforced by this kernel


@dataclass(frozen=True)
class Installed:
    """What an earlier lanpi left here."""

    version: str  # lanpi's version
    finished: bool
    when: str  # ISO 8601, UTC
    domain: str


@dataclass(frozen=True)
class MovedOut:
    """The server that was here has moved to another Pi (lanpi/pi/read/moved.py)."""

    when: str  # ISO 8601, UTC; "" where the note is damaged
    domain: str
    to: str  # the new Pi's address


@dataclass(frozen=True)
class Facts:
    """All of it."""

    hostname: str
    os: OperatingSystem
    hardware: Hardware
    storage: Storage
    swap: Swap
    links: tuple[Link, ...]
    listeners: tuple[Listener, ...]
    clock: Clock
    packages: Packages
    boot: Boot
    units: dict[str, str]  # unit -> "enabled/active" style "is-enabled/is-active", for those lanpi cares about
    installed: Installed | None
    moved: MovedOut | None  # None where no server has moved out
    config_text: str | None  # /etc/lanpi/lanpi.yml, None when there is none or it can't be read
    is_root: bool  # the probe ran as root
