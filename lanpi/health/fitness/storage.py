"""The system's storage: its kind, size and free space, and whether it keeps what is written."""

from collections.abc import Iterator
from dataclasses import replace

from lanpi.facts.model import Facts
from lanpi.health.finding import Finding, blocker, ok, warning
from lanpi.health.fitness.shared import as_preflight
from lanpi.health.table import TABLE
from lanpi.pi.sizes import GB, size

FREE_NEEDED_BYTES = 2 * GB
# A card sold as 32 GB holds 31 to 32 thousand million bytes, and shows as 29 to 30 GB (lanpi/pi/sizes.py).
DEVICE_COMFORTABLE_BYTES = 30_000_000_000

_KINDS = {
    "sd": "an SD card",
    "emmc": "eMMC",
    "usb": "a USB drive",
    "nvme": "an NVMe drive",
    "disk": "a disk",
    "virtual": "a virtual disk",
    "unknown": "an unknown kind of device",
}


def findings(facts: Facts) -> Iterator[Finding]:
    """Writable, kind and size, space, wear."""
    storage = facts.storage
    yield _writable(facts)
    kind = _KINDS[storage.kind]
    holds = f", {size(storage.device_bytes)}" if storage.device_bytes else ""
    text = f"{storage.device} is {kind}{holds}"
    if storage.device_bytes is not None and storage.device_bytes < DEVICE_COMFORTABLE_BYTES:
        yield warning("storage", text, "Enough to start; use 32 GB or more to keep years of messages and files")
    elif storage.kind == "sd":
        yield ok("storage", text, "lanpi writes little to the card; a USB or NVMe drive lasts longer")
    else:
        yield ok("storage", text)
    if not _overlay(facts):  # its free space is memory
        yield _space(facts)
    [wear] = TABLE["wear"].from_facts(facts, facts.clock.epoch_seconds)
    if wear.is_bad:
        text = f"{storage.device} has used up to {storage.life_used_percent} % of its life"
        yield replace(as_preflight(wear, "storage-life"), text=text)


def _space(facts: Facts) -> Finding:
    storage = facts.storage
    free = f"{size(storage.root_free_bytes)} free"
    if storage.root_free_bytes < FREE_NEEDED_BYTES:
        expand = ", or let the system use the whole card: sudo raspi-config --expand-rootfs, then reboot"
        return blocker(
            "storage-space",
            f"{free}, but lanpi needs {size(FREE_NEEDED_BYTES)}",
            f"Free some space: sudo apt-get clean{expand if facts.os.is_raspberry_pi_os else ''}",
        )
    [found] = TABLE["disk"].from_facts(facts, facts.clock.epoch_seconds)
    return as_preflight(found, "storage-space", well=f"{free} of {size(storage.root_total_bytes)}")


def _overlay(facts: Facts) -> bool:
    """Raspberry Pi OS's overlay file system, as raspi-config switches it on (the second name is older)."""
    kernel = facts.boot.kernel_cmdline.split()
    return "overlayroot=tmpfs" in kernel or "boot=overlay" in kernel


def _writable(facts: Facts) -> Finding:
    if _overlay(facts):
        return blocker(
            "storage-writable",
            "the overlay file system is on: whatever is written is lost at the next boot",
            "Switch it off, then reboot: sudo raspi-config nonint disable_overlayfs",
        )
    if facts.storage.read_only:
        return blocker(
            "storage-writable",
            "the root file system is read-only",
            "Find the cause (sudo dmesg | grep -i -e ext4 -e mmc), then run: sudo mount -o remount,rw /",
        )
    return ok("storage-writable", f"the root file system ({facts.storage.root_fstype}) is writable")
