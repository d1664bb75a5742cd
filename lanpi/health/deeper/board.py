"""Checks of the machine itself: disk, card, memory, power, heat, processors, Wi-Fi."""

import re
from datetime import UTC, datetime

from lanpi.health.check import Check
from lanpi.health.evidence import Evidence
from lanpi.health.finding import OK, Finding, also, bad, skipped
from lanpi.pi.sizes import size
from lanpi.pi.thresholds import TABLE

_HEAT = TABLE["temperature"]


def disk_full(evidence: Evidence) -> Finding:
    """Inodes, and what uses the space: it is read once space is getting short."""
    folders = tuple(f"{each.name}: {size(each.amount)}" for each in evidence.biggest.folders)
    files = tuple(f"largest file: {each.name}, {size(each.amount)}" for each in evidence.biggest.files)
    level = TABLE["inodes_free"].level(evidence.inodes_free_percent)
    if level in ("warning", "critical"):
        return bad(
            level,
            "the disk has no room for more files (inodes)",
            (f"{evidence.inodes_free_percent:.0f} % of inodes free", *folders),
            "Delete files you do not need: their number counts, not their size",
            "free-disk",
        )
    return also(*folders, *files)


def _kernel(evidence: Evidence, pattern: str) -> tuple[str, ...]:
    found = [
        f"{datetime.fromtimestamp(line.when, UTC):%Y-%m-%d %H:%M} {line.text}"
        for line in evidence.lines
        if line.source == "kernel" and re.search(pattern, line.text)
    ]
    return tuple(found[-4:])


def card(evidence: Evidence) -> Finding:
    """What the kernel says of the card."""
    lines = _kernel(evidence, r"mmc\d.*(?:error|timeout)|I/O error|EXT4-fs error|Buffer I/O|Remounting .*read-only")
    if evidence.readings.board.disk_read_only:
        return also(*lines)
    if lines:
        return bad("critical", "the card reports errors", lines, "Make a backup now, then replace the card")
    return OK


def disk_slow(evidence: Evidence) -> Finding:
    """Whether programs wait for the disk."""
    wait, stalled = evidence.disk_wait_ms, evidence.pressure.get("io.full", 0.0)
    if wait is None:
        return skipped("nothing was read or written during the check")
    if "ok" in (TABLE["disk_wait"].level(wait), TABLE["io_stall"].level(stalled)):
        return OK
    return bad(
        "warning",
        "the disk is slow: programs wait for it",
        (f"{wait:.0f} ms a request", f"io.full {stalled:.0f} % of the last minute"),
        "Use a faster card (A2) or a USB disk",
    )


def memory(evidence: Evidence) -> Finding:
    """Whether programs wait for memory."""
    stalled = evidence.pressure.get("memory.full")
    level = TABLE["memory_stall"].level(stalled)
    shown = () if stalled is None else (f"memory.full {stalled:.0f} % of the last minute",)
    if level in ("warning", "critical"):
        return bad(level, "programs stall because memory is short", shown, "Lower the limits: lanpi tune")
    return also(*shown)


def cpu(evidence: Evidence) -> Finding:
    """What keeps the processor busy."""
    shown = tuple(f"{each.name}: {each.amount:.0f} % of a core" for each in evidence.busiest)
    stalled = evidence.pressure.get("cpu.some", 0.0)
    if "ok" in (TABLE["cores_busy"].level(evidence.cores_busy_percent), TABLE["cpu_stall"].level(stalled)):
        return also(*shown)
    who = evidence.busiest[0].name if evidence.busiest else "something"
    return bad("warning", f"the processor is always busy, mostly with {who}", shown, "Stop what you do not need")


def power(evidence: Evidence) -> Finding:
    """When the kernel saw the voltage fall; it does so where the firmware's flags are not to be had."""
    lines = _kernel(evidence, r"[Uu]nder-?voltage")
    if not lines:
        return OK if evidence.readings.board.throttled_flags is not None else skipped("this machine does not report it")
    return bad("warning", "since the last start: under-voltage", lines, "Use the official power supply for this Pi")


CHECKS = (
    Check("card", "Card", "card errors in the kernel's log, read-only remounts", "critical", card, needs_root=True),
    Check("disk-full", "Disk space", "free space and inodes, and what uses them", "critical", disk_full),
    Check("power", "Power", "under-voltage and throttling, now and since boot, with dates", "critical", power),
    Check("heat", "Heat", f"warning at {_HEAT.warning:g} °C, critical at {_HEAT.critical:g} °C", "critical"),
    Check("memory", "Memory", "available memory, and how long programs wait for it (PSI)", "critical", memory),
    Check("cpu", "Processor", "how busy it is, and what keeps it busy", "critical", cpu),
    Check("disk-slow", "Disk speed", "wait per request, and how long programs wait (PSI)", "warning", disk_slow),
    Check("wear", "Card wear", "the storage's own estimate of its lifetime", "critical"),
    Check("cgroup", "Memory limits", "whether the kernel enforces them", "warning"),
    Check("swap", "Swap", "whether a single program manages it", "warning"),
    Check("wifi", "Network", "Wi-Fi signal, cable speed, and whether the way out is up", "critical"),
)
