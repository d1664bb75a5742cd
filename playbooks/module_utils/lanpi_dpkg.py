"""dpkg and apt, driven the way an unattended tool must: waiting for others, never breaking locks."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
FLOCK = struct.Struct("hhqqi4x")  # struct flock on 64-bit Linux: type, whence, start, length, pid
POLL_SECONDS = 1.0

# While this marker is there no package starts its service: lanpi starts each one once, with its
# own configuration. It lives in /run, so a power cut in the middle cannot leave starts forbidden.
INSTALLING = Path("/run/lanpi/installing")
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = (
    f"#!/bin/sh\n# lanpi: services start after their configuration is in place\n[ ! -e {INSTALLING} ] || exit 101\n"
)

ENVIRONMENT = {
    **os.environ,
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "NEEDRESTART_SUSPEND": "1",
    "UCF_FORCE_CONFFOLD": "1",
    "APT_LISTCHANGES_FRONTEND": "none",
}
APT = (
    "apt-get",
    "-y",
    "-q",
    "--no-install-recommends",
    "-o", "Dpkg::Options::=--force-confdef",
    "-o", "Dpkg::Options::=--force-confold",
    "-o", "Dpkg::Use-Pty=0",
    "-o", "Acquire::Retries=3",
)  # fmt: skip


class PackageError(Exception):
    """apt or dpkg failed; the text is for the user."""


def lock_holder():
    """Who holds one of the package system's locks: "apt-get (pid 123)", or "" when they are free.

    F_GETLK (fcntl(2)) tells the process without touching the lock.
    """
    for path in LOCKS:
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            asked = FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _, _, _, pid = FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        finally:
            os.close(descriptor)
        if kind != fcntl.F_UNLCK:
            return f"{process_name(pid)} (pid {pid})"
    return ""


def process_name(pid):
    """A process's command name; one that has just ended has none."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return "a process that has just ended"


def wait_for_lock(seconds):
    """Wait until nobody holds the package system's locks.

    Raises:
        PackageError: it is still held after ``seconds``; names the holder.
    """
    deadline = time.monotonic() + seconds
    while holder := lock_holder():
        if time.monotonic() >= deadline:
            raise PackageError(
                f"the package system is still locked by {holder} after {seconds:.0f} s; "
                "let it finish (or reboot the Pi if it hangs), then run the same command again"
            )
        time.sleep(POLL_SECONDS)


def run(command, wait_seconds):
    """Run apt-get or dpkg; its own lock wait covers who slips in between.

    Raises:
        PackageError: with the last lines of what it said.
    """
    if command[0] == "apt-get":
        command = [*command[:1], "-o", f"DPkg::Lock::Timeout={int(wait_seconds)}", *command[1:]]
    done = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith(("E:", "dpkg: error"))] or said[-5:]
        raise PackageError(f"{' '.join(command[:1])} failed: " + "; ".join(errors[:5]))
    return done.stdout


def installed():
    """Installed packages: name -> version. Half-installed ones are not in it."""
    output = run(["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${db:Status-Status}\n"], 0)
    rows = (line.split("\t") for line in output.splitlines())
    return {name: version for name, version, status in rows if status == "installed"}


def half_configured():
    """Packages that an interrupted run left unfinished."""
    output = run(["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\t${db:Status-Eflag}\n"], 0)
    rows = (line.split("\t") for line in output.splitlines())
    done = ("installed", "config-files", "not-installed")
    return [name for name, status, flag in rows if status not in done or flag == "reinstreq"]


class starts_forbidden:
    """Package installation without service starts, while the block runs."""

    def __enter__(self):
        INSTALLING.parent.mkdir(mode=0o755, exist_ok=True)
        INSTALLING.touch()
        if not POLICY.exists():
            POLICY.write_text(POLICY_TEXT)
            POLICY.chmod(0o755)

    def __exit__(self, *_):
        INSTALLING.unlink(missing_ok=True)
        if POLICY.exists() and POLICY.read_text() == POLICY_TEXT:
            POLICY.unlink()
