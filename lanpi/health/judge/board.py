"""Judgements of the board and its network; pure."""

from dataclasses import dataclass

from lanpi.health.finding import Action, Finding
from lanpi.health.readings import Board, LinkNow
from lanpi.pi.sizes import NOT_AVAILABLE, size
from lanpi.pi.thresholds import SINCE_BOOT_SHIFT, TABLE, THROTTLE_FLAGS, UNDER_VOLTAGE, Level
from lanpi.spans import duration


@dataclass(frozen=True)
class Load:
    """Over 1, 5 and 15 minutes (empty where not known), and the cores that share it."""

    averages: tuple[float, ...]
    cores: int


@dataclass(frozen=True)
class Room:
    """So many bytes of all; None where it cannot be told."""

    part: int | None
    whole: int


@dataclass(frozen=True)
class SwapUse:
    """Swap, and what of it is compressed memory."""

    total_bytes: int
    used_bytes: int
    zram_original_bytes: int | None
    zram_used_bytes: int | None


@dataclass(frozen=True)
class Wear:
    """What the storage says of its life, and what was written to it."""

    life_used_percent: int | None
    written_bytes: int | None
    written_ever_bytes: int | None
    uptime_seconds: float | None


def _measured(
    id: str,
    threshold: str,
    value: float | None,
    text: str,
    causes: tuple[str, str],
    fix: str,
    action: Action = "",
) -> Finding:
    """A figure against its threshold.

    Args:
        id: of the finding.
        threshold: key in the table.
        value: the figure; None where it cannot be told.
        text: the figure for people.
        causes: in plain words what a warning, and what critical means.
        fix: what to do then.
        action: as of Finding.
    """
    level = TABLE[threshold].level(value)
    if level not in ("warning", "critical"):
        return Finding(id, level, NOT_AVAILABLE if value is None else text)
    cause = causes[level == "critical"]
    return Finding(id, level, text, cause=cause, evidence=(text,), fix=fix, action=action)


def model(board: Board) -> Finding:
    """Which Pi it is; there is nothing to judge."""
    up = NOT_AVAILABLE if board.uptime_seconds is None else f"up for {duration(board.uptime_seconds)}"
    return Finding("model", "ok", f"{board.model}, {board.cores} cores, {up}")


def load(reading: Load) -> Finding:
    """Whether work waits for a core."""
    averages = reading.averages
    per_core = averages[1] / max(reading.cores, 1) if len(averages) > 1 else None
    text = " ".join(f"{value:.2f}" for value in averages) + (f", {per_core:.2f} per core" if averages[1:] else "")
    causes = ("the processor has more to do than it can", "the processor has far more to do than it can")
    return _measured("load", "load_per_core", per_core, text, causes, "Stop what you do not need")


def memory(reading: Room) -> Finding:
    """How much memory is to be had without swapping."""
    share = None if reading.part is None or not reading.whole else 100 * reading.part / reading.whole
    text = f"{size(reading.part)} of {size(reading.whole)} available"
    causes = ("memory is getting short", "memory is nearly used up")
    return _measured("memory", "memory_available", share, text, causes, "Lower the limits: lanpi tune")


def swap(reading: SwapUse) -> Finding:
    """How much of the swap is in use."""
    if not reading.total_bytes:
        return Finding("swap", "ok", "none")
    share = 100 * reading.used_bytes / reading.total_bytes
    text = f"{size(reading.used_bytes)} of {size(reading.total_bytes)} used"
    if reading.zram_original_bytes and reading.zram_used_bytes:
        text += f", compressed {reading.zram_original_bytes / reading.zram_used_bytes:.1f} to 1"
    causes = ("swap is getting short", "swap is nearly used up")
    return _measured("swap", "swap_used", share, text, causes, "Lower the limits: lanpi tune")


def temperature(celsius: float | None) -> Finding:
    """How hot the processor is."""
    causes = ("the Pi is hot", "the Pi is too hot")
    fix = "Give the Pi more air, or add a heat sink or a fan"
    return _measured("temperature", "temperature", celsius, f"{celsius} °C", causes, fix)


UNDER_VOLTAGE_BITS = 1 << UNDER_VOLTAGE | 1 << (UNDER_VOLTAGE + SINCE_BOOT_SHIFT)
"""Of the firmware's flags those about the voltage; the others say what slows the processor."""


def power(flags: int | None) -> Finding:
    """What the firmware reports about power and heat; ``flags`` as of vcgencmd get_throttled."""
    if flags is None:
        return Finding("throttling", "unknown", NOT_AVAILABLE)
    now = [name for bit, name in enumerate(THROTTLE_FLAGS) if flags >> bit & 1]
    since = [name for bit, name in enumerate(THROTTLE_FLAGS) if flags >> (bit + SINCE_BOOT_SHIFT) & 1]
    earlier = [name for name in since if name not in now]
    level: Level = "ok"
    parts = []
    if now:
        level = "critical" if flags >> UNDER_VOLTAGE & 1 else "warning"
        parts.append("now: " + ", ".join(now))
    if earlier:
        level = level if level == "critical" else "warning"
        parts.append("since boot: " + ", ".join(earlier))
    if not parts:
        return Finding("throttling", "ok", "steady")
    weak = THROTTLE_FLAGS[UNDER_VOLTAGE] in now + since
    fix = (
        "Use the official power supply and a short cable: low voltage damages the data on cards"
        if weak
        else "Better cooling or a better power supply restores full speed"
    )
    text = "; ".join(parts)
    cause = "; ".join(_power_causes(now, earlier))
    return Finding("throttling", level, text, cause=cause, evidence=(f"throttled=0x{flags:x}",), fix=fix)


def _power_causes(now: list[str], earlier: list[str]) -> list[str]:
    low = THROTTLE_FLAGS[UNDER_VOLTAGE]
    slowed, was_slowed = [name for name in now if name != low], [name for name in earlier if name != low]
    causes = []
    if low in now:
        causes.append("the voltage is too low right now")
    if slowed:
        causes.append(f"the Pi is slowed down right now: {', '.join(slowed)}")
    if low in earlier:
        causes.append("the voltage was too low since the last boot")
    if was_slowed:
        causes.append(f"the Pi was slowed down since the last boot: {', '.join(was_slowed)}")
    return causes


def read_only(reading: bool) -> tuple[Finding, ...]:
    """Whether the root file system still takes what is written; nothing is said while it does."""
    if not reading:
        return ()
    fix = "The card may be dying: save what can still be read (lanpi report), then replace the card"
    return (
        Finding(
            "disk_read_only",
            "critical",
            "read-only: nothing can be saved",
            cause="the file system went read-only",
            evidence=("/ is mounted read-only",),
            fix=fix,
        ),
    )


def disk(reading: Room) -> Finding:
    """How much room is left on the disk."""
    share = 100 * reading.part / reading.whole if reading.whole and reading.part is not None else None
    text = f"{size(reading.part)} of {size(reading.whole)} free"
    causes = ("the disk is nearly full", "the disk is full")
    return _measured("disk", "disk_free", share, text, causes, "Empty caches and old journals", "free-disk")


def wear(reading: Wear) -> Finding:
    """How much of its life the storage has used."""
    parts = []
    if reading.life_used_percent is not None:
        parts.append(f"{reading.life_used_percent} % of its life used")
    if reading.written_bytes is not None:
        parts.append(f"{size(reading.written_bytes)} written since boot")
        days = (reading.uptime_seconds or 0) / 86400
        if days >= 1:
            parts.append(f"{size(reading.written_bytes / days)} a day")
    if reading.written_ever_bytes is not None:
        parts.append(f"{size(reading.written_ever_bytes)} ever")
    # Most cards do not report their wear, and then there is neither good news nor bad.
    level = TABLE["disk_life_used"].level(reading.life_used_percent)
    text = ", ".join(parts) or NOT_AVAILABLE
    if level not in ("warning", "critical"):
        return Finding("wear", level, text)
    used = f"the card has used {reading.life_used_percent} % of its life"
    fix = "Plan to replace it, and keep backups elsewhere"
    return Finding(
        "wear", level, text, cause=used, evidence=(f"lifetime estimate {reading.life_used_percent} %",), fix=fix
    )


def link(reading: LinkNow) -> Finding:
    """An interface that carries the Pi's traffic, or could."""
    id, name = f"link:{reading.name}", reading.name
    if not reading.up:
        # Of an interface that nobody needs there is nothing good or bad to be said.
        fix = "Plug the cable in, or see why: ip address"
        if reading.default_route:
            return Finding(id, "warning", "down", name, f"{name} is down", (f"{name}: down",), fix)
        return Finding(id, "unknown", "down", name)
    parts = ["Wi-Fi" if reading.wireless else "cable"]
    level: Level
    if reading.wireless:
        level = TABLE["wifi_signal"].level(reading.signal_dbm)
        parts.append(NOT_AVAILABLE if reading.signal_dbm is None else f"{reading.signal_dbm} dBm")
    else:
        # It is up: that the driver does not tell its speed is nothing to worry about.
        level = "ok" if reading.speed_mbit is None else TABLE["link_speed"].level(reading.speed_mbit)
    if reading.speed_mbit is not None:
        parts.append(f"{reading.speed_mbit} Mbit/s")
    parts += reading.addresses
    text = ", ".join(parts)
    if level not in ("warning", "critical"):
        return Finding(id, level, text, name)
    if reading.wireless:
        cause, fix = "the Wi-Fi signal is weak", "Move the Pi or the access point, or use a cable"
    else:
        cause, fix = "the cable is slow", "Try another cable, and another socket of the switch or router"
    return Finding(id, level, text, name, cause, (f"{name}: {text}",), fix)
