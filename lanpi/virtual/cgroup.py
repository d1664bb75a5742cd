"""A control group per virtual Pi: the model's memory and cores, its share of the processor, one switch to kill it all.

Both versions of the interface are used where they are mounted side by side: version 2 carries
the container's own tree, the version 1 hierarchies may hold the memory, cpu and cpuset controllers.

A Pi needs a group of the cpu controller, without any limit in it: processes that are in none are put by the kernel into
a group per session, between which neither nice nor the idle policy count (sched(7), "The autogroup feature"), so that a
backup would get as much of the processor as the server.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from lanpi.errors import LanpiError
from lanpi.virtual.shell import wait_until

PARENT = "lanpi-virtual"


@dataclass(frozen=True)
class Hierarchies:
    """Where this machine mounts control groups; None where it does not."""

    unified: Path | None
    memory: Path | None
    cpuset: Path | None
    cpu: Path | None


def parse_mounts(mountinfo: str) -> Hierarchies:
    """Read /proc/self/mountinfo (proc(5)): mount point in field 5, type and options after the dash."""
    unified = memory = cpuset = cpu = None
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = (*right.split(" ", 2), "", "")[:3]
        point = Path(left.split()[4])
        if kind == "cgroup2" and unified is None:
            unified = point
        elif kind == "cgroup":
            names = options.split(",")
            memory = point if "memory" in names else memory
            cpuset = point if "cpuset" in names else cpuset
            cpu = point if "cpu" in names else cpu
    return Hierarchies(unified, memory, cpuset, cpu)


def choose_cores(wanted: int, available: list[int], seed: int) -> str | None:
    """Which cores a Pi runs on, "0,3" style; None when all of them.

    Args:
        wanted: the model's cores.
        available: this machine's.
        seed: spreads several Pis over the machine.
    """
    if wanted >= len(available):
        return None
    return ",".join(str(available[(seed + step) % len(available)]) for step in range(wanted))


class Group:
    """The control group of one virtual Pi."""

    def __init__(self, name: str) -> None:
        self._mounts = parse_mounts(Path("/proc/self/mountinfo").read_text())
        self._name = name

    def _folders(self) -> list[Path]:
        mounts = self._mounts
        tops = (mounts.unified, mounts.memory, mounts.cpuset, mounts.cpu)
        return [top / PARENT / self._name for top in tops if top is not None]

    def create(self, memory_bytes: int, cores: str | None) -> bool:
        """Make it with these limits; whether the memory limit is enforced."""
        for path in self._folders():
            path.mkdir(parents=True, exist_ok=True)
        mounts = self._mounts
        if mounts.cpuset is not None:
            self._limit_cores_v1(mounts.cpuset, cores)
        if mounts.memory is not None:
            limit = mounts.memory / PARENT / self._name / "memory.limit_in_bytes"
            limit.write_text(str(memory_bytes))
            return True
        return mounts.unified is not None and self._limit_v2(mounts.unified, memory_bytes, cores)

    def _limit_cores_v1(self, top: Path, cores: str | None) -> None:
        # An empty cpuset takes no processes; a new one starts empty.
        for level in (top / PARENT, top / PARENT / self._name):
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not (level / file).read_text().strip():
                    (level / file).write_text((level.parent / file).read_text())
        if cores is not None:
            (top / PARENT / self._name / "cpuset.cpus").write_text(cores)

    def _limit_v2(self, top: Path, memory_bytes: int, cores: str | None) -> bool:
        offered = (top / "cgroup.controllers").read_text().split()
        for level in (top, top / PARENT):
            for controller in ("memory", "cpuset", "cpu"):
                if controller in offered:
                    (level / "cgroup.subtree_control").write_text(f"+{controller}")
        own = top / PARENT / self._name
        if cores is not None and "cpuset" in offered:
            (own / "cpuset.cpus").write_text(cores)
        if "memory" in offered:
            (own / "memory.max").write_text(str(memory_bytes))
        return "memory" in offered

    def joins(self) -> list[str]:
        """The cgroup.procs files that a process writes itself into to be inside."""
        return [str(path / "cgroup.procs") for path in self._folders()]

    def memory_folder(self) -> str:
        """Where the Pi's memory use is accounted; "" where it is not."""
        for top in (self._mounts.memory, self._mounts.unified):
            if top is not None and any((top / PARENT / self._name).glob("memory.stat")):
                return str(top / PARENT / self._name)
        return ""

    def processes(self) -> list[int]:
        """All processes inside, at any depth."""
        found: set[int] = set()
        for path in self._folders():
            for file in path.glob("**/cgroup.procs"):
                try:
                    found.update(int(pid) for pid in file.read_text().split())
                except OSError:  # the group vanished while it was read: nobody is in it
                    continue
        return sorted(found - {0})

    def kill(self, *, seconds: float = 10) -> None:
        """End every process inside at once, as a power cut does.

        Raises:
            LanpiError: FAILED when some are still there after ``seconds``.
        """

        def gone() -> bool:
            unified = self._mounts.unified
            switch = unified / PARENT / self._name / "cgroup.kill" if unified is not None else None
            if switch is not None and switch.exists():
                switch.write_text("1")
            else:
                for pid in self.processes():
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
            return not self.processes()

        if not wait_until(gone, seconds=seconds, every_seconds=0.05):
            raise LanpiError(f"processes {self.processes()} of virtual Pi {self._name} did not end on SIGKILL")

    def remove(self) -> None:
        """Remove it, and the parent with the last one.

        Raises:
            LanpiError: FAILED when it cannot be removed.
        """
        for path in self._folders():
            if not wait_until(lambda path=path: _remove_tree(path), seconds=5):  # type: ignore[misc]
                raise LanpiError(f"cannot remove the control group {path}: it still contains processes")
            try:
                path.parent.rmdir()
            except OSError:  # other Pis are in it, or it is gone already
                continue


def _remove_tree(path: Path) -> bool:
    if not path.is_dir():
        return True
    for folder in sorted((entry for entry in path.glob("**/") if entry != path), reverse=True):
        try:
            folder.rmdir()
        except OSError:
            return False
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
