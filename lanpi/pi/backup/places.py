"""Where repositories are: a folder, a USB disk known by its UUID, or an address that restic understands."""

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lanpi.pi.backup.common import RUN, Problem, command

USB = re.compile(r"usb:([0-9A-Za-z-]+)(/.*)?")
HOMES = ("/home/", "/root/")  # the unit's ProtectHome=read-only
CARD = Path("/")
BY_UUID = Path("/dev/disk/by-uuid")
UNMOUNT_SECONDS = 120.0  # a slow stick may still have to write
USB_WAIT_SECONDS = 20.0  # a disk that has just been plugged in, or is just spinning up


def is_local(location: str) -> bool:
    """Whether a place is a folder on this Pi, by path."""
    return location.startswith("/")


def on_card(location: str) -> bool:
    """Whether a place is lost with the Pi's own card."""
    if not is_local(location):
        return False
    there = next(folder for folder in (Path(location), *Path(location).parents) if folder.exists())
    return there.stat().st_dev == CARD.stat().st_dev


def require_writable(repository: str, shown: str) -> None:
    """Refuse at once a folder that this unit may not write to, or one on a disk that went read-only.

    restic would try for minutes.
    """
    if not is_local(repository):
        return
    there = next(folder for folder in (Path(repository), *Path(repository).parents) if folder.exists())
    if not os.access(there, os.W_OK):
        hint = "Use a folder outside /home and /root" if shown.startswith(HOMES) else "Is its disk healthy?"
        raise Problem(f"the repository at {shown} cannot be written to: {there} is read-only for backups", hint)


def named(location: str, what: str) -> str:
    """What failed, with its place; many failures name the place themselves."""
    return what if location in what else f"{location}: {what}"


@contextlib.contextmanager
def opened(location: str) -> Iterator[str]:
    """The repository's name for restic while the block runs; a USB disk is mounted that long.

    Raises Problem when the disk is not there or cannot be mounted.
    """
    match = USB.fullmatch(location)
    if not match:
        yield location
        return
    uuid, folder = match.group(1), match.group(2) or "/lanpi"
    deadline = time.monotonic() + USB_WAIT_SECONDS
    while (number := disk_number(location)) is None:
        if time.monotonic() > deadline:
            raise Problem(
                f"the USB disk {uuid} is not connected", "Plug it in; the backup is tried again later", "missing"
            )
        time.sleep(0.5)
    point = _mount(uuid)
    try:
        yield f"{point}{folder}"
    except BaseException:
        # Silently: whoever pulled the disk out must see the message about what failed, not one about umount.
        _let_go(point)
        if disk_number(location) != number:
            raise Problem(
                f"the USB disk {uuid} was pulled out", "Plug it in, then run the command again", "missing"
            ) from None
        raise
    command(["umount", "-l", str(point)], seconds=UNMOUNT_SECONDS)
    point.rmdir()


def disk_number(location: str) -> int | None:
    """The device number of a place's USB disk, another one after it was plugged in again; None where there is none."""
    match = USB.fullmatch(location)
    try:
        return (BY_UUID / match.group(1)).stat().st_rdev if match else None
    except FileNotFoundError:
        return None


def _mount(uuid: str) -> Path:
    """Where it is mounted: a place of this process's own, as `list` may look at a disk while a backup is written."""
    folder = RUN / "usb"
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        if not Path(f"/proc/{left.name.rpartition('.')[2]}").exists():
            _let_go(left)  # of a process that was killed
    point = folder / f"{uuid}.{os.getpid()}"
    point.mkdir(exist_ok=True)
    # After a pulled plug the journal must be played back: hence no "ro" on a restore either.
    mount = ["mount", "-o", "noatime,nosuid,nodev,noexec", str(BY_UUID / uuid), str(point)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        point.rmdir()
        # What follows the first line is a hint to look at the kernel's messages.
        said = (done.stderr.strip().splitlines() or [f"mount ended with exit status {done.returncode}"])[0]
        why = re.sub(r"^mount: \S+: ", "", said).rstrip(".")
        raise Problem(f"the USB disk {uuid} cannot be mounted: {why}", "Is it formatted, and is it healthy?")
    return point


def _let_go(point: Path) -> None:
    """Unmount lazily, whatever state the disk is in."""
    subprocess.run(["umount", "-l", str(point)], check=False, capture_output=True)
    with contextlib.suppress(OSError):  # mounted still, for another: the next one tries again
        point.rmdir()
