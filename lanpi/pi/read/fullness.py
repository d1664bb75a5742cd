"""What fills the disk, looked for once it is filling: the largest folders and the largest files."""

import heapq
import os
import stat
import time
from typing import Any

from lanpi.pi.read.source import Machine
from lanpi.pi.thresholds import TABLE

MOST_FOLDERS, MOST_FILES = 4, 5
FOLDERS = ("/var/log", "/var/lib/ejabberd", "/var/cache/apt", "/var/lib", "/home", "/root", "/usr", "/opt", "/srv",
           "/tmp", "/var/tmp")  # fmt: skip # noqa: S108 - where other programs leave things is what is looked at
SEARCHED = ("/var", "/home", "/root", "/opt", "/srv", "/tmp")  # noqa: S108 - as above
"""Where what fills a card lies; /usr is packages, and too large to walk through for nothing."""
SEARCH_SECONDS = 10.0
"""A walk over a full, slow card ends here; what was found by then is told."""
BLOCK_BYTES = 512  # st_blocks counts these (stat(2))


def inodes_free_percent() -> float:
    """Of the root file system; 100 where it has none to count (btrfs)."""
    status = os.statvfs("/")
    return 100 * status.f_favail / status.f_files if status.f_files else 100.0


def biggest(source: Machine, fstype: str) -> dict[str, list[dict[str, Any]]]:
    """The largest folders and files of the root file system; empty while there is room.

    Args:
        source: the machine.
        fstype: of the root file system.

    Returns:
        ``folders`` and ``files``, each a list of ``name`` and ``amount`` (bytes), the largest first.
    """
    total, free = source.space("/")
    if not total or TABLE["disk_free"].level(100 * free / total) == "ok":
        return {"folders": [], "files": []}
    return {"folders": _folders(source, fstype), "files": largest_files(SEARCHED, one_device=fstype != "overlay")}


def _folders(source: Machine, fstype: str) -> list[dict[str, Any]]:
    there = [folder for folder in FOLDERS if source.exists(folder)]
    # On an overlay files have another device number than their folders, and -x would leave them all out.
    one = [] if fstype == "overlay" else ["-x"]
    done = source.command("du", *one, "-sk", *there)
    sizes = [line.split("\t", 1) for line in (done[1] if done else "").splitlines() if "\t" in line]
    found = sorted(((float(kibibytes) * 1024, name) for kibibytes, name in sizes), reverse=True)
    return [{"name": name, "amount": amount} for amount, name in found[:MOST_FOLDERS]]


def largest_files(
    folders: tuple[str, ...], *, one_device: bool, most: int = MOST_FILES, seconds: float = SEARCH_SECONDS
) -> list[dict[str, Any]]:
    """The files in these folders that take the most room on their disk.

    Args:
        folders: where to look, with all that is below.
        one_device: leave out what is mounted there from elsewhere.
        most: so many.
        seconds: end the walk after this long.
    """
    ends = time.monotonic() + seconds
    seen: set[tuple[int, int]] = set()

    def files() -> Any:
        for top in folders:
            try:
                device = os.lstat(top).st_dev
            except OSError:  # this machine has no such folder
                continue
            for folder, below, names in os.walk(top):
                if time.monotonic() > ends:
                    return
                if one_device:
                    below[:] = [name for name in below if _device(f"{folder}/{name}") == device]
                for name in names:
                    try:
                        found = os.lstat(f"{folder}/{name}")
                    except OSError:  # removed meanwhile
                        continue
                    place = (found.st_dev, found.st_ino)
                    if stat.S_ISREG(found.st_mode) and place not in seen:
                        seen.add(place)
                        yield float(found.st_blocks * BLOCK_BYTES), f"{folder}/{name}"

    return [{"name": name, "amount": amount} for amount, name in heapq.nlargest(most, files()) if amount]


def _device(path: str) -> int | None:
    try:
        return os.lstat(path).st_dev
    except OSError:
        return None
