"""systemd's services and what each of them uses."""

import re
from fnmatch import fnmatchcase
from typing import Any

from lanpi.pi.read import units
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

PROPERTIES = (
    *units.STATE,
    *("SubState", "Result", "Type", "ActiveEnterTimestamp", "StateChangeTimestamp", "NRestarts", "MemoryCurrent"),
    *("ControlGroup", "ConditionResult", "ConditionTimestamp"),
)
POSTGRESQL = "postgresql@"
"""How the units of PostgreSQL's clusters begin; postgresql.service only stands for them all."""
CGROUPS = "/sys/fs/cgroup"
SLICES = ("/system.slice", "/lanpi.slice")
KIBIBYTE = 1024


def read_units(source: Source, names: list[str]) -> list[dict[str, str]]:
    """Properties of those units that are on this machine and for it."""
    return for_this_machine(units.show(source, names, PROPERTIES))


def for_this_machine(blocks: list[dict[str, str]]) -> list[dict[str, str]]:
    """The blocks without units that are not installed, or whose condition does not hold here."""
    return [block for block in blocks if units.is_there(block) and not _elsewhere(block)]


def _elsewhere(block: dict[str, str]) -> bool:
    """A condition was tried and does not hold, as of a time service in a container."""
    return (
        block.get("ConditionResult") == "no"
        and units.timestamp(block.get("ConditionTimestamp", "")) is not None
        and block.get("ActiveState") == "inactive"
    )


def asked_for(blocks: list[dict[str, str]], names: list[str]) -> list[dict[str, str]]:
    """Those of the blocks whose names are among these, which may be patterns (systemctl(1))."""
    return [block for block in blocks if any(fnmatchcase(block["Id"], name) for name in names)]


def groups(source: Source) -> list[str]:
    """The control groups of the system's services."""
    waiting, found = list(SLICES), []
    while waiting:
        group = waiting.pop()
        inside = [f"{group}/{name}" for name in source.names(f"{CGROUPS}{group}")]
        # A service, or a slice with more of them: lanpi's own, or that of a template's instances.
        found += [name for name in inside if name.endswith((".service", ".scope"))]
        waiting += [name for name in inside if name.endswith(".slice")]
    return found


def group_cpu_seconds(source: Source) -> dict[str, float]:
    """CPU time used so far by each control group of the system's services."""
    used = {}
    for group in groups(source):
        found = re.search(r"^usage_usec (\d+)$", source.read_text(f"{CGROUPS}{group}/cpu.stat") or "", re.MULTILINE)
        if found:
            used[group] = int(found.group(1)) / 1e6
    return used


def services(
    source: Source,
    blocks: list[dict[str, str]],
    before: dict[str, float],
    after: dict[str, float],
    elapsed_seconds: float,
) -> list[dict[str, Any]]:
    """Each unit's state and use; ``before`` and ``after`` are CPU seconds by control group, that much time apart."""
    found = []
    for block in blocks:
        name, group = block["Id"], block.get("ControlGroup", "")
        busy = None
        if elapsed_seconds > 0 and group in before and group in after:
            busy = round(100 * max(after[group] - before[group], 0.0) / elapsed_seconds, 1)
        found.append(
            {
                "unit": name,
                "type": block.get("Type", ""),
                "active": block.get("ActiveState", ""),
                "sub": block.get("SubState", ""),
                "enabled": block.get("UnitFileState", ""),
                "result": block.get("Result", ""),
                "since_epoch": _since(block),
                "restarts": _number(block.get("NRestarts", "")),
                "memory_bytes": _memory_bytes(source, block),
                "cpu_percent": busy,
                "written_bytes": written_bytes(source, group) if group else None,
            }
        )
    return found


def _since(block: dict[str, str]) -> float | None:
    """When an active unit was started, and when another came into its state."""
    active = block.get("ActiveState") == "active"
    return units.timestamp(block.get("ActiveEnterTimestamp" if active else "StateChangeTimestamp", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _processes(source: Source, group: str) -> list[str]:
    text = source.read_text(f"{CGROUPS}{group}/cgroup.procs") or ""
    # A process of another namespace shows as 0.
    return [process for process in text.split() if process != "0"]


def _memory_bytes(source: Source, block: dict[str, str]) -> int | None:
    accounted = _number(block.get("MemoryCurrent", ""))
    # "[not set]", or 2**64-1 on older systemd, where the kernel keeps no account of the group.
    if accounted is not None and accounted < 2**63:
        return accounted
    group = block.get("ControlGroup", "")
    sizes = [_process_memory(source, process) for process in _processes(source, group)] if group else []
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _process_memory(source: Source, process: str) -> int | None:
    # Proportional share, so that what processes have in common counts once; only root sees it of others.
    share = source.read_text(f"/proc/{process}/smaps_rollup") or ""
    found = re.search(r"^Pss:\s+(\d+) kB", share, re.MULTILINE)
    if not found:
        status = source.read_text(f"/proc/{process}/status") or ""
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) * KIBIBYTE if found else None


def written_bytes(source: Source, group: str, *, by_process: bool = True) -> int | None:
    """What the unit wrote to disks since it was started.

    Args:
        source: the machine.
        group: the unit's control group.
        by_process: where the kernel keeps no account of the group, add up its processes. The sum falls when one of
            them ends, so it is of no use to count on.
    """
    stat = source.read_text(f"{CGROUPS}{group}/io.stat")
    if stat is not None:
        return sum_writes(stat)
    if not by_process:
        return None
    written = []
    for process in _processes(source, group):
        found = re.search(r"^write_bytes: (\d+)$", source.read_text(f"/proc/{process}/io") or "", re.MULTILINE)
        if found:
            written.append(int(found.group(1)))
    return sum(written) if written else None


def sum_writes(stat: str) -> int:
    """Bytes written in a control group's io.stat.

    Devices stacked on others (loop 7, device mapper 252-254, where zram is too) are left out: what
    goes through them to a card is counted there.
    """
    total = 0
    for line in stat.splitlines():
        major = line.partition(":")[0]
        found = re.search(r"\bwbytes=(\d+)", line)
        if found and major not in ("7", "252", "253", "254"):
            total += int(found.group(1))
    return total
