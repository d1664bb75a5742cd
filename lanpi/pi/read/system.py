"""The operating system, the board, the clock, the boot files and what lanpi left here."""

import json
import re
from typing import Any

from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

# The programs that keep a Debian system's clock; the first active one is reported.
TIME_SERVICES = (
    "systemd-timesyncd.service",
    "chrony.service",
    "ntpsec.service",
    "ntp.service",
    "openntpd.service",
)

# The flags that vcgencmd prints, for those who may not open its device.
THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"


# Of what Debian's python3 has and its python3-minimal lacks, what Ansible's modules and lanpi's own programs import.
# What only reads the machine does without them.
WHOLE_PYTHON = ("asyncio", "concurrent", "ctypes", "gzip", "hmac", "http", "secrets", "shutil", "smtplib", "sqlite3",
                "statistics", "xml")  # fmt: skip


def assignments(text: str) -> dict[str, str]:
    """KEY=value lines with optional quotes, as in os-release(5)."""
    found = {}
    for line in text.splitlines():
        key, separator, value = line.strip().partition("=")
        if separator and not key.startswith("#"):
            found[key] = value.strip().strip("\"'")
    return found


def operating_system(source: Source) -> dict[str, Any]:
    release = assignments(source.read_text("/etc/os-release") or source.read_text("/usr/lib/os-release") or "")
    architecture = source.command("dpkg", "--print-architecture")
    return {
        "id": release.get("ID", ""),
        "codename": release.get("VERSION_CODENAME", ""),
        "version": release.get("VERSION_ID", ""),
        "pretty_name": release.get("PRETTY_NAME", "unknown"),
        "architecture": architecture[1].strip() if architecture else "",
        "kernel": source.kernel(),
        "page_size_bytes": source.page_size(),
        "is_raspberry_pi_os": source.exists("/etc/rpi-issue"),
        "missing_modules": list(source.missing_modules(WHOLE_PYTHON)),
    }


# systemd-detect-virt(1), "container"; every other name is that of a machine with a kernel of its own. The program
# names the innermost: a container inside a virtual machine is a container.
CONTAINERS = (
    *("openvz", "lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman", "rkt", "wsl", "proot", "pouch"),
    "container-other",
)


def hardware(source: Source) -> dict[str, Any]:
    virtual = source.command("systemd-detect-virt")
    technology = virtual[1].strip() if virtual else "none"
    return {
        "model": _model(source, technology),
        "memory_bytes": _memory_bytes(source),
        "cores": source.cores(),
        "temperature_celsius": _temperature(source),
        "throttled_flags": _throttled_flags(source),
        "is_virtual": technology not in ("", "none"),
        "is_container": technology in CONTAINERS,
    }


def _model(source: Source, technology: str) -> str:
    # machine-info(5): HARDWARE_MODEL is where an administrator corrects what the hardware says,
    # and the only place where a container can have a model.
    named = assignments(source.read_text("/etc/machine-info") or "").get("HARDWARE_MODEL", "")
    candidates = (
        named,
        source.read_text("/proc/device-tree/model"),
        source.read_text("/sys/class/dmi/id/product_name"),
        f"virtual machine ({technology})" if technology not in ("", "none") else "",
    )
    # The device tree's strings end with a NUL.
    return next((text for candidate in candidates if (text := (candidate or "").strip("\0 \n"))), "unknown")


def _memory_bytes(source: Source) -> int:
    caps = []
    for line in (source.read_text("/proc/meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            caps.append(int(line.split()[1]) * 1024)
    # What a container may use: cgroup v2 and v1 as seen from its own root.
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        cap = (source.read_text(path) or "").strip()
        if cap.isdigit():
            caps.append(int(cap))
    return min(caps)


def _temperature(source: Source) -> float | None:
    zones = []
    for zone in source.names("/sys/class/thermal"):
        value = (source.read_text(f"/sys/class/thermal/{zone}/temp") or "").strip()
        kind = (source.read_text(f"/sys/class/thermal/{zone}/type") or "").strip()
        if value.lstrip("-").isdigit():
            zones.append((kind not in ("cpu-thermal", "x86_pkg_temp"), zone, int(value) / 1000))
    return round(min(zones)[2], 1) if zones else None


def _throttled_flags(source: Source) -> int | None:
    told = source.command("vcgencmd", "get_throttled")
    text = told[1] if told and told[0] == 0 else source.read_text(THROTTLED) or ""
    value = text.strip().removeprefix("throttled=").removeprefix("0x")
    return int(value, 16) if re.fullmatch(r"[0-9a-fA-F]+", value) else None


def clock(source: Source, states: dict[str, str]) -> dict[str, Any]:
    active = [unit for unit in TIME_SERVICES if states.get(unit, "").endswith("/active")]
    synchronised: bool | None = True
    # timesyncd's flag file is there from the first answer on; the kernel's estimate may lag it.
    if not source.exists("/run/systemd/timesync/synchronized"):
        synchronised = source.kernel_clock_synchronised()
    return {
        "epoch_seconds": source.epoch(),
        "synchronised": synchronised,
        "time_service": active[0] if active else "",
    }


def boot(source: Source) -> dict[str, Any]:
    path, text = "", ""
    for candidate in ("/boot/firmware/cmdline.txt", "/boot/cmdline.txt"):
        found = source.read_text(candidate)
        # Since bookworm /boot/cmdline.txt only says where the real one is.
        if found is not None and "DO NOT EDIT" not in found:
            path, text = candidate, found
            break
    return {
        "cmdline_path": path,
        "cmdline": text,
        "kernel_cmdline": (source.read_text("/proc/cmdline") or "").strip(),
        "memory_cgroup": _memory_cgroup(source),
    }


def _memory_cgroup(source: Source) -> bool:
    unified = source.read_text("/sys/fs/cgroup/cgroup.controllers")
    if unified is not None:
        return "memory" in unified.split()
    return source.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes")


def installed(source: Source) -> dict[str, Any] | None:
    text = source.read_text("/var/lib/lanpi/installed.json")
    if text is None:
        return None
    try:
        known = json.loads(text)
        return {key: known[key] for key in ("version", "finished", "when", "domain")}
    except (ValueError, KeyError, TypeError):
        # Something is there but not whole: an install that has to be finished.
        return {"version": "", "finished": False, "when": "", "domain": ""}
