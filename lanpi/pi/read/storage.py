"""The device under the root file system, and swap."""

from typing import Any

from lanpi.pi.read.packages import Installed
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

SECTOR_BYTES = 512  # /sys/block/*/size counts these, whatever the device's own sectors are


def storage(source: Source) -> dict[str, Any]:
    fstype, device_number, device, options = _root_mount(source)
    total, free = source.space("/")
    disk = _disk(source, device_number, device)
    name = disk.rpartition("/")[2]
    sectors = (source.read_text(f"{disk}/size") or "").strip() if disk else ""
    return {
        "kind": _kind(source, disk, fstype),
        "device": f"/dev/{name}" if name else device,
        "device_bytes": int(sectors) * SECTOR_BYTES if sectors.isdigit() else None,
        "root_total_bytes": total,
        "root_free_bytes": free,
        "root_fstype": fstype,
        "mount_options": options,
        "read_only": "ro" in options,
        "life_used_percent": _life_used_percent(source, disk) if disk else None,
    }


def _root_mount(source: Source) -> tuple[str, str, str, list[str]]:
    """File system type, major:minor, device and options of what is mounted at / (proc_pid_mountinfo(5))."""
    found = None
    for line in (source.read_text("/proc/self/mountinfo") or "").splitlines():
        fields = line.split()
        if len(fields) > 6 and fields[4] == "/":
            dash = fields.index("-")
            # An overlay's own options are paths on another machine's disk: not worth carrying.
            shared = [option for option in fields[dash + 3].split(",") if "=/" not in option]
            options = list(dict.fromkeys(fields[5].split(",") + shared))
            if "ro" in options and "rw" in options:
                options.remove("rw")
            found = (fields[dash + 1], fields[2], fields[dash + 2], options)
    if found is None:
        raise ValueError("no root file system in /proc/self/mountinfo")
    return found


def _disk(source: Source, device_number: str, device: str) -> str:
    """The whole disk's folder below /sys/devices; empty where there is none (overlay, tmpfs)."""
    path = f"/sys/dev/block/{device_number}"
    if not source.exists(path):
        # btrfs has a device number of its own; its source names the device.
        path = f"/sys/class/block/{device.rpartition('/')[2]}"
        if not device.startswith("/dev/") or not source.exists(path):
            return ""
    path = source.resolve(path)
    # Encryption and LVM sit on something: the first below is what wears.
    while below := source.names(f"{path}/slaves"):
        path = source.resolve(f"{path}/slaves/{below[0]}")
    return path.rpartition("/")[0] if source.exists(f"{path}/partition") else path


def _kind(source: Source, disk: str, fstype: str) -> str:
    name = disk.rpartition("/")[2]
    if not disk:
        return "virtual" if fstype in ("overlay", "tmpfs", "9p", "virtiofs") else "unknown"
    if name.startswith("mmcblk"):
        kinds = {"SD": "sd", "MMC": "emmc"}
        return kinds.get((source.read_text(f"{disk}/device/type") or "").strip(), "unknown")
    if name.startswith("nvme"):
        return "nvme"
    if "/usb" in disk:
        return "usb"
    if "/virtio" in disk or name.startswith(("vd", "xvd", "loop")):
        return "virtual"
    return "disk" if name.startswith("sd") else "unknown"


def _life_used_percent(source: Source, disk: str) -> int | None:
    # eMMC only: two estimates in steps of ten percent, 0x00 "not defined", 0x0b "exceeded".
    values = [int(value, 16) for value in (source.read_text(f"{disk}/device/life_time") or "").split()]
    return max(values) * 10 if any(values) else None


def swap(source: Source, packages: Installed) -> dict[str, Any]:
    areas = []
    for line in (source.read_text("/proc/swaps") or "").splitlines()[1:]:
        name, _, kibibytes, *_ = line.split()
        # A container is shown its host's swap; what is not in its own tree is not its own.
        if source.exists(name):
            areas.append((name, int(kibibytes) * 1024))
    owners = _swap_owners(source, packages)
    if not owners and areas:
        owners = ["other"]
    return {
        "owner": owners[0] if owners else "none",
        "owners": owners,
        "total_bytes": sum(size for _, size in areas),
        "zram_bytes": sum(size for name, size in areas if name.startswith("/dev/zram")),
    }


def _swap_owners(source: Source, packages: Installed) -> list[str]:
    owners: list[str] = [name for name in ("rpi-swap", "dphys-swapfile") if name in packages]
    settings = ["/etc/systemd/zram-generator.conf", "/usr/lib/systemd/zram-generator.conf"]
    # rpi-swap drives the zram generator itself, so there it is not a second owner.
    if (
        "systemd-zram-generator" in packages
        and "rpi-swap" not in owners
        and any(source.exists(path) for path in settings)
    ):
        owners.append("zram-generator")
    if "zram-tools" in packages or _fstab_swap(source):
        owners.append("other")
    return owners


def _fstab_swap(source: Source) -> bool:
    lines = [line.split() for line in (source.read_text("/etc/fstab") or "").splitlines()]
    return any(len(line) > 2 and not line[0].startswith("#") and line[2] == "swap" for line in lines)
