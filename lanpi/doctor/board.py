"""Checks of the machine itself: disk, card, memory, power, heat, processors, Wi-Fi."""

import re
from datetime import UTC, datetime

from lanpi.doctor.evidence import Evidence
from lanpi.doctor.result import OK, Check, Result, skipped

MIB = 1 << 20
# Raspberry Pi documentation, "vcgencmd get_throttled": now 0-3, since boot 16-19.
_THROTTLED = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
HOT_CELSIUS, TOO_HOT_CELSIUS = 75.0, 80.0
"""The firmware slows the processor from 80 (Raspberry Pi documentation, "Frequency management")."""


def disk_full(evidence: Evidence) -> Result:
    storage = evidence.facts.storage
    used = 100 * (1 - storage.root_free_bytes / storage.root_total_bytes) if storage.root_total_bytes else 0.0
    figures = (f"/: {storage.root_free_bytes // MIB} MiB free of {storage.root_total_bytes // MIB}",)
    biggest = tuple(f"{each.name}: {each.amount / MIB:.0f} MiB" for each in evidence.biggest)
    if evidence.inodes_free_percent < 5:
        return Result("critical", "the disk has no room for more files (inodes)",
                      (f"{evidence.inodes_free_percent:.0f} % of inodes free",),
                      "Delete files you do not need: their number counts, not their size", "free-disk")  # fmt: skip
    if used < 90 and storage.root_free_bytes > 200 * MIB:
        return OK
    full = used >= 97 or storage.root_free_bytes < 50 * MIB
    return Result("critical" if full else "warning", "the disk is full" if full else "the disk is nearly full",
                  figures + biggest, "`lanpi doctor --fix` empties caches and old journals", "free-disk")  # fmt: skip


def _kernel(evidence: Evidence, pattern: str) -> tuple[str, ...]:
    found = [
        f"{datetime.fromtimestamp(line.when, UTC):%Y-%m-%d %H:%M} {line.text}"
        for line in evidence.lines
        if line.source == "kernel" and re.search(pattern, line.text)
    ]
    return tuple(found[-4:])


def card(evidence: Evidence) -> Result:
    lines = _kernel(evidence, r"mmc\d.*(?:error|timeout)|I/O error|EXT4-fs error|Buffer I/O|Remounting .*read-only")
    if evidence.facts.storage.read_only:
        return Result("critical", "the file system went read-only", lines or ("/ is mounted read-only",),
                      "Save what can still be read (lanpi report), then replace the card")  # fmt: skip
    if lines:
        return Result("critical", "the card reports errors", lines, "Make a backup now, then replace the card")
    return OK


def wear(evidence: Evidence) -> Result:
    used = evidence.facts.storage.life_used_percent
    if used is None:
        return skipped("this storage does not report its wear")
    if used < 80:
        return OK
    return Result("critical" if used >= 100 else "warning", f"the card has used {used} % of its life",
                  (f"lifetime estimate {used} %",), "Plan to replace the card, and keep backups elsewhere")  # fmt: skip


def disk_slow(evidence: Evidence) -> Result:
    wait = evidence.disk_wait_ms
    if wait is None:
        return skipped("nothing was read or written during the check")
    if wait < 100 or evidence.pressure.get("io.full", 0.0) < 20:
        return OK
    return Result("warning", "the disk is slow: programs wait for it",
                  (f"{wait:.0f} ms a request", f"io.full {evidence.pressure['io.full']:.0f} % of the last minute"),
                  "Use a faster card (A2) or a USB disk")  # fmt: skip


def memory(evidence: Evidence) -> Result:
    stalled = evidence.pressure.get("memory.full", 0.0)
    total, free = evidence.facts.hardware.memory_bytes, evidence.memory_available_bytes
    shown = (f"{free // MIB} MiB available of {total // MIB}", f"memory.full {stalled:.0f} % of the last minute")
    if stalled >= 10:
        return Result("critical", "programs stall because memory is short", shown, "Lower the limits: lanpi tune")
    if free < total * 0.05:
        return Result("warning", "memory is nearly used up", shown, "Lower the limits: lanpi tune")
    return OK


def cpu(evidence: Evidence) -> Result:
    if evidence.cores_busy_percent < 90 or evidence.pressure.get("cpu.some", 0.0) < 50:
        return OK
    shown = tuple(f"{each.name}: {each.amount:.0f} % of a core" for each in evidence.busiest)
    who = evidence.busiest[0].name if evidence.busiest else "something"
    return Result("warning", f"the processor is always busy, mostly with {who}", shown, "Stop what you do not need")


def power(evidence: Evidence) -> Result:
    flags = evidence.facts.hardware.throttled_flags
    lines = _kernel(evidence, r"[Uu]nder-?voltage")
    if flags is None and not lines:
        return skipped("this machine does not report it")
    now = [text for bit, text in _THROTTLED.items() if (flags or 0) >> bit & 1]
    since = [text for bit, text in _THROTTLED.items() if (flags or 0) >> (bit + 16) & 1]
    told = f"throttled=0x{flags:x}" if flags is not None else ""
    shown = tuple(filter(None, (told, *lines)))
    if now:
        return Result("critical", f"now: {', '.join(now)}", shown, "Use the official power supply for this Pi")
    if since or lines:
        what = ", ".join(since) or "under-voltage"
        return Result("warning", f"since the last start: {what}", shown, "Use the official power supply for this Pi")
    return OK


def heat(evidence: Evidence) -> Result:
    degrees = evidence.facts.hardware.temperature_celsius
    if degrees is None:
        return skipped("this machine has no temperature sensor")
    if degrees < HOT_CELSIUS:
        return OK
    hot = degrees >= TOO_HOT_CELSIUS
    return Result("critical" if hot else "warning", "the Pi is too hot" if hot else "the Pi is hot",
                  (f"{degrees:.0f} degrees Celsius",), "Add a heat sink or a fan; avoid a closed box")  # fmt: skip


def cgroup(evidence: Evidence) -> Result:
    if evidence.facts.boot.memory_cgroup:
        return OK
    if evidence.facts.hardware.is_container and not evidence.facts.boot.cmdline_path:
        return skipped("this is a container: its host sets the limits")
    return Result("warning", "the kernel does not enforce memory limits", (evidence.facts.boot.kernel_cmdline[:200],),
                  "lanpi install --reboot")  # fmt: skip


def swap(evidence: Evidence) -> Result:
    owners = evidence.facts.swap.owners
    if len(owners) < 2:
        return OK
    return Result("warning", "two programs manage swap and undo each other's work", owners,
                  "Remove one of them; `lanpi install` sets the other up")  # fmt: skip


def wifi(evidence: Evidence) -> Result:
    links = [link for link in evidence.facts.links if link.wireless and link.up]
    if not links:
        return skipped("Wi-Fi is not in use")
    weak = [link for link in links if link.signal_dbm is not None and link.signal_dbm < -70]
    if not weak:
        return OK
    return Result("warning", "the Wi-Fi signal is weak", tuple(f"{link.name}: {link.signal_dbm} dBm" for link in weak),
                  "Move the Pi, or use a cable")  # fmt: skip


CHECKS = (
    Check("card", "Card", "card errors in the kernel's log, read-only remounts", "critical", card, needs_root=True),
    Check("disk-full", "Disk space", "free space and inodes, and what uses them", "critical", disk_full),
    Check("power", "Power", "under-voltage and throttling, now and since boot, with dates", "critical", power),
    Check("heat", "Heat", f"warning at {HOT_CELSIUS:.0f} °C, critical at {TOO_HOT_CELSIUS:.0f} °C", "critical", heat),
    Check("memory", "Memory", "available memory, and how long programs wait for it (PSI)", "critical", memory),
    Check("cpu", "Processor", "how busy it is, and what keeps it busy", "warning", cpu),
    Check("disk-slow", "Disk speed", "wait per request, and how long programs wait (PSI)", "warning", disk_slow),
    Check("wear", "Card wear", "the storage's own estimate of its lifetime", "critical", wear),
    Check("cgroup", "Memory limits", "whether the kernel enforces them", "warning", cgroup),
    Check("swap", "Swap", "whether a single program manages it", "warning", swap),
    Check("wifi", "Wi-Fi", "signal strength of -70 dBm or better", "warning", wifi),
)
