"""The board and its system: memory, load, temperature, disk, network."""

import os
import re
from typing import Any

from lanpi.pi.read import network, storage, system
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

KIBIBYTE = 1024


def board(source: Source) -> dict[str, Any]:
    """Everything about the machine itself."""
    hardware = system.hardware(source)
    disk = storage.storage(source)
    load = (source.read_text("/proc/loadavg") or "").split()
    device = disk["device"].removeprefix("/dev/")
    return {
        "model": hardware["model"],
        "cores": hardware["cores"],
        "is_virtual": hardware["is_virtual"],
        "is_container": hardware["is_container"],
        "uptime_seconds": uptime_seconds(source),
        "load": [float(value) for value in load[:3]],
        **memory(source, hardware["memory_bytes"]),
        "temperature_celsius": hardware["temperature_celsius"],
        "throttled_flags": hardware["throttled_flags"],
        "disk_kind": disk["kind"],
        "disk_total_bytes": disk["root_total_bytes"],
        "disk_free_bytes": disk["root_free_bytes"],
        "disk_read_only": disk["read_only"],
        "disk_life_used_percent": disk["life_used_percent"],
        "disk_written_bytes": written_since_boot(source, device),
        "disk_written_ever_bytes": _written_ever(source, device),
    }


def uptime_seconds(source: Source) -> float | None:
    """Since the first process was started: a container's own age, not its host's."""
    now = (source.read_text("/proc/uptime") or "").split()
    first = (source.read_text("/proc/1/stat") or "").rpartition(")")[2].split()
    if not now:
        return None
    # proc_pid_stat(5): starttime is field 22, in clock ticks since the kernel came up.
    started = int(first[19]) / os.sysconf("SC_CLK_TCK") if len(first) > 19 else 0.0
    return round(float(now[0]) - started, 1)


def memory(source: Source, total: int) -> dict[str, int | None]:
    """Memory and swap, bytes."""
    info = {
        name: int(kibibytes) * KIBIBYTE
        for name, kibibytes in re.findall(r"^(\w+):\s+(\d+) kB", source.read_text("/proc/meminfo") or "", re.MULTILINE)
    }
    original, compressed = _zram(source)
    swap_total, swap_used = _swap(source)
    return {
        "memory_total_bytes": total,
        "memory_available_bytes": _container_available(source, total) or info.get("MemAvailable"),
        "swap_total_bytes": swap_total,
        "swap_used_bytes": swap_used,
        "zram_original_bytes": original,
        "zram_used_bytes": compressed,
    }


def _container_available(source: Source, total: int) -> int | None:
    """What is left under a container's cap; None where there is none (a real Pi)."""
    if not (source.read_text("/sys/fs/cgroup/memory.max") or "").strip().isdigit():
        return None
    current = (source.read_text("/sys/fs/cgroup/memory.current") or "").strip()
    cache = re.search(r"^inactive_file (\d+)$", source.read_text("/sys/fs/cgroup/memory.stat") or "", re.MULTILINE)
    if not current.isdigit() or not cache:
        return None
    return max(total - int(current) + int(cache.group(1)), 0)


def _swap(source: Source) -> tuple[int, int]:
    total = used = 0
    for line in (source.read_text("/proc/swaps") or "").splitlines()[1:]:
        name, _, size, taken, *_ = line.split()
        # A container is shown its host's swap.
        if source.exists(name):
            total += int(size) * KIBIBYTE
            used += int(taken) * KIBIBYTE
    return total, used


def _zram(source: Source) -> tuple[int | None, int | None]:
    """What was put into compressed swap and what it takes there, bytes."""
    original = taken = 0
    found = False
    for name in source.names("/sys/block"):
        # admin-guide/blockdev/zram: orig_data_size, compr_data_size, mem_used_total, …
        fields = (source.read_text(f"/sys/block/{name}/mm_stat") or "").split()
        if name.startswith("zram") and len(fields) > 2 and source.exists(f"/dev/{name}"):
            original, taken, found = original + int(fields[0]), taken + int(fields[2]), True
    return (original, taken) if found else (None, None)


def written_since_boot(source: Source, device: str) -> int | None:
    """admin-guide/iostats: the seventh figure is sectors written."""
    fields = (source.read_text(f"/sys/class/block/{device}/stat") or "").split() if device else []
    return int(fields[6]) * storage.SECTOR_BYTES if len(fields) > 6 else None


def _written_ever(source: Source, device: str) -> int | None:
    """Since the file system was made, as ext4 counts; of the largest count among the disk's partitions."""
    counts = []
    for name in source.names("/sys/fs/ext4"):
        text = (source.read_text(f"/sys/fs/ext4/{name}/lifetime_write_kbytes") or "").strip()
        if device and name.startswith(device) and text.isdigit():
            counts.append(int(text) * KIBIBYTE)
    return max(counts) if counts else None


def links(source: Source) -> list[dict[str, Any]]:
    """Interfaces with their speed and signal."""
    return [
        {
            "name": link["name"],
            "wireless": link["wireless"],
            "up": link["up"],
            "default_route": link["default_route"],
            "addresses": link["addresses"],
            "signal_dbm": link["signal_dbm"],
            "speed_mbit": _speed(source, link["name"]),
        }
        for link in network.links(source)
    ]


def _speed(source: Source, name: str) -> int | None:
    # -1 or an error where the driver does not know: Wi-Fi, a link that is down.
    text = (source.read_text(f"/sys/class/net/{name}/speed") or "").strip()
    return int(text) if text.isdigit() else None
