"""Power, temperature and clock."""

from collections.abc import Iterator

from lanpi.facts.model import Facts
from lanpi.preflight.finding import Finding, ok, warning

# vcgencmd get_throttled (Raspberry Pi documentation, "vcgencmd"): now, and 16 bits up, since boot.
UNDER_VOLTAGE = 1 << 0
SLOWED = {1 << 1: "frequency capped", 1 << 2: "throttled", 1 << 3: "soft temperature limit"}
SINCE_BOOT = 16
# The firmware slows the processor at 80 degrees; this leaves room for the install's own heat.
TEMPERATURE_HOT_CELSIUS = 75
CLOCK_OFF_SECONDS = 60


def findings(facts: Facts, *, now_epoch_seconds: float) -> Iterator[Finding]:
    """Power, throttling, temperature and clock."""
    flags = facts.hardware.throttled_flags
    if flags is None:
        yield ok("power", "this machine does not report power and throttling")
    else:
        yield _power(flags)
        yield _throttling(flags)
    temperature = facts.hardware.temperature_celsius
    if temperature is None:
        yield ok("temperature", "this machine does not report its temperature")
    elif temperature >= TEMPERATURE_HOT_CELSIUS:
        yield warning("temperature", f"{temperature:.0f} °C is hot", "Give the Pi more air, a heat sink or a fan")
    else:
        yield ok("temperature", f"{temperature:.0f} °C")
    yield _clock(facts, now_epoch_seconds)


def _power(flags: int) -> Finding:
    step = "Use the official power supply and a short cable: low voltage damages the data on cards"
    if flags & UNDER_VOLTAGE:
        return warning("power", "the voltage is too low right now", step)
    if flags & UNDER_VOLTAGE << SINCE_BOOT:
        return warning("power", "the voltage was too low since the last boot", step)
    return ok("power", "no under-voltage since boot")


def _throttling(flags: int) -> Finding:
    now = [name for bit, name in SLOWED.items() if flags & bit]
    before = [name for bit, name in SLOWED.items() if flags & bit << SINCE_BOOT]
    step = "Better cooling or a better power supply restores full speed"
    if now:
        return warning("throttling", f"the Pi is slowed down right now: {', '.join(now)}", step)
    if before:
        return warning("throttling", f"the Pi was slowed down since the last boot: {', '.join(before)}", step)
    return ok("throttling", "full speed since boot")


def _clock(facts: Facts, now_epoch_seconds: float) -> Finding:
    clock = facts.clock
    offset = clock_offset_seconds(facts, now_epoch_seconds)
    if abs(offset) > CLOCK_OFF_SECONDS:
        direction = "ahead of" if offset > 0 else "behind"
        return warning(
            "clock",
            f"the Pi's clock is {_duration(abs(offset))} {direction} this machine's",
            "lanpi sets the clock before any step that checks dates",
        )
    if clock.synchronised or facts.hardware.is_container:
        return ok("clock", f"correct to the minute{f', kept by {clock.time_service}' if clock.time_service else ''}")
    if not clock.time_service:
        return warning("clock", "nothing keeps the clock right", "lanpi installs systemd-timesyncd")
    return warning(
        "clock",
        f"{clock.time_service} has not synchronised the clock yet",
        "If this persists, check whether the network allows NTP: timedatectl timesync-status",
    )


def clock_offset_seconds(facts: Facts, now_epoch_seconds: float) -> float:
    """How far the Pi's clock is ahead of the operator's; negative when it is behind."""
    return facts.clock.epoch_seconds - now_epoch_seconds


def _duration(seconds: float) -> str:
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
