"""A USB stick for a virtual Pi: a file behind a loop device of this machine, with node and link as udev makes them."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lanpi.virtual.shell import run

NODE = "/dev/sda1"
BY_UUID = "/dev/disk/by-uuid"
SECTOR_BYTES = 512  # of /sys/block/*/stat, whatever the disk's own (Documentation/block/stat.rst)
# linux/ext4.h: every access fails from now on, and nothing more is written, not even the journal.
EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2


class Stick:
    """Formatted as ext4; plugged in nowhere at first.

    Args:
        image: file to make.
        megabytes: its size.
    """

    def __init__(self, image: Path, megabytes: int) -> None:
        self._image, self._loop, self._leader = image, "", 0
        with image.open("wb") as file:
            file.truncate(megabytes * 1024 * 1024)
        run(["mkfs.ext4", "-q", str(image)])
        self.uuid = run(["blkid", "-o", "value", "-s", "UUID", str(image)]).strip()

    def plug_in(self, leader: int | None) -> None:
        """Into the Pi whose PID 1 this is."""
        assert leader is not None, "the Pi does not run"
        self._loop, self._leader = run(["losetup", "-f", "--show", str(self._image)]).strip(), leader
        number = Path(self._loop).stat().st_rdev
        make = f"mknod -m 660 {NODE} b {os.major(number)} {os.minor(number)}; mkdir -p {BY_UUID}"
        self._inside(f"set -e; {make}; ln -s {NODE} {BY_UUID}/{self.uuid}")

    def take_out(self) -> None:
        """At once, whether somebody uses it or not: what has it mounted gets errors, and it keeps what was written."""
        # One is enough: they are the same file system.
        for pid, point in list(self.mounted_at().items())[:1]:
            descriptor = os.open(f"/proc/{pid}/root{point}", os.O_RDONLY)
            try:
                fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
            finally:
                os.close(descriptor)
        self._inside(f"rm -f {NODE} {BY_UUID}/{self.uuid}")
        # The kernel lets go of the file with the last mount.
        run(["losetup", "-d", self._loop])
        self._loop = ""

    def written_bytes(self) -> int:
        """What has reached it since it was plugged in."""
        fields = Path(f"/sys/block/{Path(self._loop).name}/stat").read_text().split()
        return int(fields[6]) * SECTOR_BYTES

    def mounted_at(self, processes: Iterable[int] | None = None) -> dict[int, str]:
        """Which of these processes (or of all) see it mounted, and where: a Pi's units have mounts of their own."""
        if processes is None:
            processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        found = {}
        for pid in processes:
            try:
                table = Path(f"/proc/{pid}/mountinfo").read_text()
            except OSError:  # it has ended
                continue
            points = [line.split()[4] for line in table.splitlines() if f"/usb/{self.uuid}" in line]
            if points:
                found[pid] = points[0]
        return found

    def held(self) -> bool:
        """Whether this machine still holds its file, plugged in or not."""
        return str(self._image) in run(["losetup", "-a"])

    def close(self) -> None:
        """Leave no loop device behind, whatever a test did."""
        if self._loop:
            subprocess.run(["losetup", "-d", self._loop], check=False)

    def _inside(self, script: str) -> None:
        run(["nsenter", "-t", str(self._leader), "-m", "--", "sh", "-c", script])
