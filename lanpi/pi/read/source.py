"""Where the probe reads from: this machine.

``recorded.Recorded`` offers the same methods over a recorded file tree, so that every parser
runs against the files and outputs of machines that are not at hand.
"""

import contextlib
import fcntl
import importlib.machinery
import os
import struct
import subprocess
import time
from collections.abc import Sequence

COMMAND_TIMEOUT_SECONDS = 15
_APT_HELPER = "/usr/lib/apt/apt-helper"


class Machine:
    """The machine that the probe runs on."""

    def read_text(self, path: str) -> str | None:
        """A file's text; None when there is none or it may not be read."""
        try:
            with open(path, "rb") as file:  # noqa: PTH123  (/proc files are not for pathlib)
                return file.read().decode(errors="replace")
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        """Whether the path is there (a dangling link is not)."""
        return os.path.exists(path)  # noqa: PTH110

    def names(self, path: str) -> list[str]:
        """What a folder holds, sorted; nothing when there is none or it may not be read."""
        try:
            return sorted(os.listdir(path))  # noqa: PTH208
        except OSError:
            return []

    def link(self, path: str) -> str:
        """A symbolic link's target as written; empty when it is none or may not be read."""
        try:
            return os.readlink(path)  # noqa: PTH115
        except OSError:
            return ""

    def resolve(self, path: str) -> str:
        """The path with every link followed."""
        return os.path.realpath(path)

    def modified(self, path: str) -> float | None:
        """When the path was last changed, seconds since the epoch; None when it is not there."""
        try:
            return os.stat(path).st_mtime  # noqa: PTH116
        except OSError:
            return None

    def command(self, *argv: str) -> tuple[int, str] | None:
        """A command's exit status and output; None where the program is missing or hangs."""
        environment = {**os.environ, "LC_ALL": "C"}
        # A login over SSH has no sbin in its PATH, and that is where iw lives.
        environment["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                timeout=COMMAND_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.returncode, done.stdout.decode(errors="replace")

    def show_units(self, units: list[str], properties: Sequence[str]) -> str:
        """``systemctl show`` of some units: a block of properties for each; nothing without systemd."""
        # --all, or a pattern does not find what stands still.
        wanted = ("--all", "--timestamp=unix", f"--property={','.join(properties)}")
        done = self.command("systemctl", "show", *wanted, "--", *units)
        return done[1] if done else ""

    def can_fetch(self, uri: str) -> bool:
        """Whether apt can download this, through its own proxies, methods and certificates.

        Five seconds without an answer count as no; nothing is tried twice.
        """
        options = ("Acquire::Retries=0", "Acquire::http::Timeout=5", "Acquire::https::Timeout=5")
        # Python's own temporary folders need modules that python3-minimal lacks.
        made = self.command("mktemp", "-d")
        if made is None or made[0] != 0:
            return False
        folder = made[1].strip()
        try:
            arguments = [part for option in options for part in ("-o", option)]
            done = self.command(_APT_HELPER, *arguments, "download-file", uri, f"{folder}/fetched")
            return done is not None and done[0] == 0
        finally:
            self.command("rm", "-r", folder)

    def lock_holder(self, path: str) -> int | None:
        """The process that holds a POSIX lock on a file; 0 when it cannot be seen, None when free.

        As root the kernel is asked (F_GETLK); without rights to open the file, /proc/locks is
        searched for its inode.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError:
            return self._lock_holder_by_inode(path)
        except OSError:
            return None
        try:
            asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            answer = struct.unpack("hhqqi", fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        finally:
            os.close(descriptor)
        return None if answer[0] == fcntl.F_UNLCK else max(answer[4], 0)

    def _lock_holder_by_inode(self, path: str) -> int | None:
        with contextlib.suppress(OSError):
            found = os.stat(path)  # noqa: PTH116
            device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
            for line in (self.read_text("/proc/locks") or "").splitlines():
                fields = line.split()
                # "1: POSIX ADVISORY WRITE 812 b3:02:1234 0 EOF"; a waiter has "->" in second place.
                if len(fields) > 5 and fields[1] == "POSIX" and fields[5] == device:
                    return max(int(fields[4]), 0)
        return None

    def space(self, path: str) -> tuple[int, int]:
        """A file system's size and what an ordinary user can still write there, bytes."""
        found = os.statvfs(path)
        return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize

    def page_size(self) -> int:
        """The kernel's page size, bytes."""
        return os.sysconf("SC_PAGE_SIZE")

    def cores(self) -> int:
        """The cores that processes may run on (what a container is held to, where it is)."""
        return len(os.sched_getaffinity(0))

    def kernel(self) -> str:
        """The kernel's release."""
        return os.uname().release

    def hostname(self) -> str:
        """The host's name."""
        return os.uname().nodename

    def epoch(self) -> float:
        """This machine's time, seconds since the epoch."""
        return time.time()

    def is_root(self) -> bool:
        """Whether the probe may read everything."""
        return os.geteuid() == 0

    def kernel_clock_synchronised(self) -> bool | None:
        """What timedatectl calls NTPSynchronized, whoever keeps the clock; None where it is not told.

        Source: systemd's ntp_synced(), an estimated error below 16 s (NTP's "not synchronised").
        """
        try:
            import ctypes  # noqa: PLC0415 - python3-minimal lacks it
        except ModuleNotFoundError:
            return None

        # The first members of struct timex (adjtimex(2)), and room for the kernel to write the rest in.
        class Timex(ctypes.Structure):
            _fields_ = (
                ("modes", ctypes.c_uint),
                ("offset", ctypes.c_long),
                ("freq", ctypes.c_long),
                ("maxerror", ctypes.c_long),
                ("rest", ctypes.c_byte * 256),
            )

        timex = Timex()
        if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
            return None
        return bool(timex.maxerror < 16_000_000)

    def missing_modules(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Which of these modules of the standard library Python does not find here; imports none of them."""
        return tuple(name for name in names if importlib.machinery.PathFinder.find_spec(name) is None)
