"""The lines about the board and its network; pure."""

from collections.abc import Sequence

from lanpi.pi.thresholds import SINCE_BOOT_SHIFT, TABLE, THROTTLE_FLAGS, UNDER_VOLTAGE, Level
from lanpi.status.lines import NOT_AVAILABLE, Line, duration, size
from lanpi.status.model import Board, Link

SECTION = "Pi"


def _measured(key: str, label: str, threshold: str, value: float | None, text: str, hint: str = "") -> Line:
    level = TABLE[threshold].level(value)
    return Line(
        key,
        SECTION,
        label,
        level,
        NOT_AVAILABLE if value is None else text,
        hint if level in ("warning", "critical") else "",
    )


def board_lines(board: Board) -> list[Line]:
    """All lines about the machine itself."""
    up = NOT_AVAILABLE if board.uptime_seconds is None else f"up for {duration(board.uptime_seconds)}"
    return [
        Line("model", SECTION, "Model", "ok", f"{board.model}, {board.cores} cores, {up}"),
        _load(board),
        _memory(board),
        _swap(board),
        _measured(
            "temperature",
            "Temperature",
            "temperature",
            board.temperature_celsius,
            f"{board.temperature_celsius} °C",
            "Give the Pi more air, or add a heat sink",
        ),
        throttling(board.throttled_flags),
        _disk(board),
        _wear(board),
    ]


def _load(board: Board) -> Line:
    per_core = board.load[1] / max(board.cores, 1) if len(board.load) > 1 else None
    text = " ".join(f"{value:.2f}" for value in board.load) + (
        f", {per_core:.2f} per core" if per_core is not None else ""
    )
    return _measured("load", "Load", "load_per_core", per_core, text)


def _memory(board: Board) -> Line:
    available = board.memory_available_bytes
    share = None if available is None else 100 * available / board.memory_total_bytes
    text = f"{size(available)} of {size(board.memory_total_bytes)} available"
    return _measured("memory", "Memory", "memory_available", share, text)


def _swap(board: Board) -> Line:
    if not board.swap_total_bytes:
        return Line("swap", SECTION, "Swap", "ok", "none")
    share = 100 * board.swap_used_bytes / board.swap_total_bytes
    text = f"{size(board.swap_used_bytes)} of {size(board.swap_total_bytes)} used"
    if board.zram_original_bytes and board.zram_used_bytes:
        text += f", compressed {board.zram_original_bytes / board.zram_used_bytes:.1f} to 1"
    return _measured("swap", "Swap", "swap_used", share, text)


def throttling(flags: int | None) -> Line:
    """What the firmware reports about power and heat."""
    if flags is None:
        return Line("throttling", SECTION, "Power", "unknown", NOT_AVAILABLE)
    now = [name for bit, name in enumerate(THROTTLE_FLAGS) if flags >> bit & 1]
    since = [name for bit, name in enumerate(THROTTLE_FLAGS) if flags >> (bit + SINCE_BOOT_SHIFT) & 1]
    level: Level = "ok"
    parts = []
    if now:
        level = "critical" if flags >> UNDER_VOLTAGE & 1 else "warning"
        parts.append("now: " + ", ".join(now))
    earlier = [name for name in since if name not in now]
    if earlier:
        level = level if level == "critical" else "warning"
        parts.append("since boot: " + ", ".join(earlier))
    weak = THROTTLE_FLAGS[UNDER_VOLTAGE] in now + since
    hint = "Use the official power supply and a short cable" if weak else ""
    return Line("throttling", SECTION, "Power", level, "; ".join(parts) or "steady", hint)


def _disk(board: Board) -> Line:
    if board.disk_read_only:
        hint = "The card may be dying: make a backup, then run `lanpi doctor`"
        return Line("disk", SECTION, "Disk", "critical", "read-only: nothing can be saved", hint)
    share = 100 * board.disk_free_bytes / board.disk_total_bytes if board.disk_total_bytes else None
    text = f"{size(board.disk_free_bytes)} of {size(board.disk_total_bytes)} free"
    return _measured("disk", "Disk", "disk_free", share, text)


def _wear(board: Board) -> Line:
    parts = []
    if board.disk_life_used_percent is not None:
        parts.append(f"{board.disk_life_used_percent} % of its life used")
    if board.disk_written_bytes is not None:
        parts.append(f"{size(board.disk_written_bytes)} written since boot")
        days = (board.uptime_seconds or 0) / 86400
        if days >= 1:
            parts.append(f"{size(board.disk_written_bytes / days)} a day")
    if board.disk_written_ever_bytes is not None:
        parts.append(f"{size(board.disk_written_ever_bytes)} ever")
    level = TABLE["disk_life_used"].level(board.disk_life_used_percent) if parts else "unknown"
    # Most cards do not report their wear, and then there is neither good news nor bad.
    return Line("wear", SECTION, "Wear", level, ", ".join(parts) or NOT_AVAILABLE)


def link_lines(links: Sequence[Link]) -> list[Line]:
    """One line for each interface that carries the Pi's traffic, or could."""
    return [_link(link) for link in links]


def _link(link: Link) -> Line:
    if not link.up:
        level: Level = "warning" if link.default_route else "unknown"
        return Line(f"link:{link.name}", "Network", link.name, level, "down")
    parts = ["Wi-Fi" if link.wireless else "cable"]
    if link.wireless:
        level = TABLE["wifi_signal"].level(link.signal_dbm)
        parts.append(NOT_AVAILABLE if link.signal_dbm is None else f"{link.signal_dbm} dBm")
    else:
        level = TABLE["link_speed"].level(link.speed_mbit)
    if link.speed_mbit is not None:
        parts.append(f"{link.speed_mbit} Mbit/s")
    parts += link.addresses
    hint = (
        "Move the Pi or the access point, or use a cable" if link.wireless and level in ("warning", "critical") else ""
    )
    return Line(f"link:{link.name}", "Network", link.name, level, ", ".join(parts), hint)
