"""What strains the machine: who waits, who uses the processors, how long the disks take."""

import os
import re
import time
from pathlib import Path
from typing import Any

from lanpi.pi.read.source import Machine

SAMPLE_SECONDS = 0.4


def pressure(source: Machine) -> dict[str, float]:
    """avg60 of each line of /proc/pressure; nothing where the kernel keeps none."""
    found = {}
    for resource in ("cpu", "memory", "io"):
        for kind, value in re.findall(
            r"^(some|full) .*avg60=([\d.]+)", source.read_text(f"/proc/pressure/{resource}") or "", re.MULTILINE
        ):
            found[f"{resource}.{kind}"] = float(value)
    return found


def _ticks() -> dict[str, tuple[str, int]]:
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(errors="replace")
        except OSError:  # it ended meanwhile
            continue
        name, rest = text.partition("(")[2].rpartition(")")[::2]
        fields = rest.split()
        found[stat.parent.name] = (name, int(fields[11]) + int(fields[12]))
    return found


def _waits(source: Machine) -> tuple[int, int]:
    requests = milliseconds = 0
    for line in (source.read_text("/proc/diskstats") or "").splitlines():
        fields = line.split()
        if re.fullmatch(r"mmcblk\d+|sd[a-z]+|nvme\d+n\d+|vd[a-z]+", fields[2]):
            requests += int(fields[3]) + int(fields[7])
            milliseconds += int(fields[6]) + int(fields[10])
    return requests, milliseconds


def sample(source: Machine) -> dict[str, Any]:
    """Who uses the processors and how long the disks take, over a moment."""
    processes, disks, began = _ticks(), _waits(source), time.monotonic()
    time.sleep(SAMPLE_SECONDS)
    after, disks_after, elapsed = _ticks(), _waits(source), time.monotonic() - began
    scale = 100 / (os.sysconf("SC_CLK_TCK") * elapsed)
    used: dict[str, float] = {}
    for process, (name, ticks) in after.items():
        if process in processes:
            used[name] = used.get(name, 0.0) + (ticks - processes[process][1]) * scale
    busiest = sorted(used.items(), key=lambda item: -item[1])[:3]
    requests = disks_after[0] - disks[0]
    return {
        "cores_busy_percent": sum(used.values()) / source.cores(),
        "busiest": [{"name": name, "amount": round(amount, 1)} for name, amount in busiest if amount >= 1],
        "disk_wait_ms": (disks_after[1] - disks[1]) / requests if requests else None,
    }
