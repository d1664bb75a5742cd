"""Keeps one virtual Pi running; run as a program of its own, with nothing but the standard library.

systemd-nspawn that belongs to no service ends with status 133 when the Pi reboots (systemd-nspawn(1),
``--keep-unit``) and leaves starting it again to whoever started it: that is this program. It also gives
the Pi a /proc/meminfo that tells the model's memory rather than this machine's, and keeps it true.

Its one argument is a JSON object: argv (of nspawn), environment, joins (cgroup.procs files), oom_score_adj
(of nspawn, or null), memory
(the folder of the memory controller, "" when none), memory_bytes, fakes (the folder of what covers
the Pi's kernel files, laid out like them), fakes_inside (where the Pi sees that folder).
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

REBOOT = 133
TICK_SECONDS = 1.0


def render_meminfo(host: str, total_bytes: int, used_bytes: int, stat: dict[str, int]) -> str:
    """A /proc/meminfo for a machine of ``total_bytes``.

    Args:
        host: this machine's, for the fields that are not about the Pi's own memory (swap is the
            kernel's, so it is shared).
        total_bytes: the Pi's memory.
        used_bytes: what the Pi holds, page cache included.
        stat: the memory controller's memory.stat, bytes.
    """
    cache = stat.get("total_cache", stat.get("file", 0))
    inactive = stat.get("total_inactive_file", stat.get("inactive_file", 0))
    active = stat.get("total_active_file", stat.get("active_file", 0))
    anonymous = stat.get("total_rss", stat.get("anon", 0))
    free = max(total_bytes - used_bytes, 0)
    own = {
        "MemTotal": total_bytes,
        "MemFree": free,
        # The kernel counts the reclaimable part of the page cache as available (proc(5)).
        "MemAvailable": min(free + inactive + active // 2, total_bytes),
        "Buffers": 0,
        "Cached": cache,
        "Active(file)": active,
        "Inactive(file)": inactive,
        "AnonPages": anonymous,
        "Shmem": stat.get("total_shmem", stat.get("shmem", 0)),
    }
    kept = ("SwapTotal", "SwapFree", "SwapCached")
    values = {name: value // 1024 for name, value in own.items()}
    for name, value in re.findall(r"^(\S+):\s+(\d+) kB$", host, re.MULTILINE):
        if name in kept:
            values[name] = int(value)
    # Every line has a fixed width, so that rewriting the file in place changes digits only.
    return "".join(f"{name + ':':<16}{value:>12} kB\n" for name, value in values.items())


def read_memory(folder: Path) -> tuple[int, dict[str, int]]:
    """Bytes in use and memory.stat, of either version of the memory controller."""
    usage = folder / "memory.usage_in_bytes"
    usage = usage if usage.exists() else folder / "memory.current"
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(usage.read_text()), {name: int(value) for name, value in stat.items()}


def write_meminfo(path: Path, memory: Path, total_bytes: int) -> None:
    """Rewrite in place: the Pi's mount holds on to this very inode."""
    used, stat = read_memory(memory)
    text = render_meminfo(Path("/proc/meminfo").read_text(), total_bytes, used, stat)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(descriptor, text.encode(), 0)
        os.ftruncate(descriptor, len(text))
    finally:
        os.close(descriptor)


def leader_of(nspawn: int) -> int | None:
    """The Pi's PID 1, once it runs its own /sbin/init (before, nspawn is still preparing its mounts)."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if parent != nspawn:
                continue
            spaces = re.search(r"^NSpid:\s+(.+)$", (entry / "status").read_text(), re.MULTILINE)
            if spaces and spaces[1].split()[-1] == "1" and b"nspawn" not in (entry / "cmdline").read_bytes():
                return int(entry.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def cover_kernel_files(leader: int, fakes: Path, inside: str) -> None:
    """Put the files of fakes/proc and the folders of fakes/sys/class over the Pi's own.

    From inside its mount namespace, as nspawn itself cannot: below /proc it mounts only once the sources
    are out of sight, and over /sys/class it mounts this machine's afterwards.
    """
    sources = [*sorted((fakes / "proc").glob("*")), *sorted((fakes / "sys/class").glob("*"))]
    for source in sources:
        path = source.relative_to(fakes)
        command = ["nsenter", "-t", str(leader), "-m", "mount", "--bind", f"{inside}/{path}", f"/{path}"]
        done = subprocess.run(command, check=False)  # mount says on the console why it fails
        if done.returncode != 0:
            print(f"lanpi supervisor: /{path} shows this machine's values", file=sys.stderr, flush=True)  # noqa: T201


def run_once(order: dict[str, object]) -> int:
    """Run nspawn to its end; its exit status."""
    joins, argv = order["joins"], order["argv"]
    assert isinstance(joins, list) and isinstance(argv, list)
    assert isinstance(order["environment"], dict) and isinstance(order["memory_bytes"], int)
    memory, fakes = str(order["memory"]), Path(str(order["fakes"]))

    def enter() -> None:
        for file in joins:
            Path(file).write_text(str(os.getpid()))
        if order["oom_score_adj"] is not None:
            Path("/proc/self/oom_score_adj").write_text(str(order["oom_score_adj"]))

    if memory:
        write_meminfo(fakes / "proc/meminfo", Path(memory), order["memory_bytes"])
    environment = {**os.environ, **order["environment"]}
    # preexec_fn is safe here: this program has one thread.
    nspawn = subprocess.Popen(argv, env=environment, preexec_fn=enter, stdin=subprocess.DEVNULL)  # noqa: PLW1509
    signal.signal(signal.SIGTERM, lambda *_: nspawn.terminate())
    covered = False
    while True:
        try:
            return nspawn.wait(timeout=TICK_SECONDS if covered else 0.1)
        except subprocess.TimeoutExpired:
            pass
        try:
            if not covered and (leader := leader_of(nspawn.pid)) is not None:
                cover_kernel_files(leader, fakes, str(order["fakes_inside"]))
                covered = True
            elif covered and memory:
                write_meminfo(fakes / "proc/meminfo", Path(memory), order["memory_bytes"])
        except OSError as error:
            # The Pi may be going down at this very moment; nspawn's end is what decides.
            print(f"lanpi supervisor: {error}", file=sys.stderr, flush=True)  # noqa: T201
            time.sleep(0.1)


def main() -> int:
    """Run the Pi until it is switched off."""
    order = json.loads(sys.argv[1])
    while (status := run_once(order)) == REBOOT:
        pass
    return status


if __name__ == "__main__":
    sys.exit(main())
