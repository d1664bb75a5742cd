"""What an install has to do: a pure comparison of what is desired with the state of a Pi.

A plan only decides what the playbook is given; its modules compare again before they write, so that a plan of a
moment ago does no harm. Each entry has its reason, those that need nothing too.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lanpi.deploy.desired import Desired, File
from lanpi.deploy.ownership import Ownership
from lanpi.deploy.reading import FileState, Owners, State
from lanpi.pi.read.trees import ROOT

Kind = Literal["package", "source", "tree", "file", "owner", "unit", "setting"]

NAMES: dict[Kind, tuple[str, str]] = {
    "package": ("package", "packages"),
    "source": ("package source", "package sources"),
    "tree": ("web folder", "web folders"),
    "file": ("file", "files"),
    "owner": ("file", "files"),
    "unit": ("unit", "units"),
    "setting": ("kernel setting", "kernel settings"),
}
ACTIVE = ("active", "activating", "reloading")
ENABLED = ("enabled", "enabled-runtime", "alias")
NOT_ENABLED = ("disabled", "indirect", "masked")


@dataclass(frozen=True)
class Entry:
    """A thing that is declared, or was.

    Attributes:
        kind: what it is; "owner" stands for a file that a service makes, of which only owner and mode are declared.
        name: of the package or unit, or the path.
        differs: whether it is not as it should be.
        reason: why it differs, or why nothing is to do.
    """

    kind: Kind
    name: str
    differs: bool
    reason: str


@dataclass(frozen=True)
class Plan:
    """What differs, and why.

    Attributes:
        entries: of everything that is declared, and of what is no longer.
        routine: units that do their work at every install, whether or not anything differs, such as the one that
            looks after the certificate.
    """

    entries: tuple[Entry, ...]
    routine: tuple[str, ...]

    @property
    def differing(self) -> tuple[Entry, ...]:
        """The entries that are not as they should be."""
        return tuple(entry for entry in self.entries if entry.differs)

    def summary(self) -> str:
        """In a line: "12 packages, 96 files and 31 units are as they should be", or how many are not."""
        differing = self.differing
        counted = _counted(differing or self.entries)
        one = len(differing or self.entries) == 1
        if not differing:
            return f"{counted} {'is' if one else 'are'} as {'it' if one else 'they'} should be"
        return f"{counted} {'differs' if one else 'differ'}; {len(self.entries) - len(differing)} more need nothing"

    def variables(self, desired: Desired) -> dict[str, Any]:
        """The playbook's variables: of files and packages only what differs, and all units.

        Args:
            desired: of which this plan was made.
        """
        names = {kind: {entry.name for entry in self.differing if entry.kind == kind} for kind in NAMES}
        given = desired.only(names["source"] | names["file"], names["owner"])
        everything = {file.path for file in (*desired.early_files, *desired.files)}
        return given.variables() | {
            "lanpi_kept": sorted(everything - names["file"]),
            "lanpi_packages_change": bool(names["package"] or names["source"]),
            "lanpi_files_change": bool(names["file"] or names["owner"]),
        }


def plan(desired: Desired, state: State, *, cmdline_change: bool) -> Plan:
    """Compare.

    Args:
        desired: what the Pi should be.
        state: what it is.
        cmdline_change: whether the kernel's command line must change.
    """
    entries = [*_packages(desired, state), *_sources(desired, state)]
    if cmdline_change:
        entries.append(
            Entry("setting", "kernel command line", True, "it keeps the kernel from enforcing memory limits")
        )
    entries += _trees(desired, state)
    entries += _files(desired, state)
    entries += [_owner(made, state.made[made.path]) for made in desired.made if made.path in state.made]
    entries += _units(desired, state)
    return Plan(tuple(entries), tuple(unit["name"] for unit in desired.units if _is_routine(unit, state)))


def _counted(entries: tuple[Entry, ...]) -> str:
    counts: dict[tuple[str, str], int] = {}
    for entry in entries:
        counts[NAMES[entry.kind]] = counts.get(NAMES[entry.kind], 0) + 1
    parts = [f"{count} {names[0] if count == 1 else names[1]}" for names, count in counts.items()]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _packages(desired: Desired, state: State) -> Iterator[Entry]:
    for name in desired.packages:
        there = name in state.packages
        yield Entry("package", name, not there, "it is installed" if there else "it is not installed")
    for name in state.unfinished:
        yield Entry("package", name, True, "dpkg has left it half installed")
    if "apt" in state.pending:
        yield Entry("package", "package lists", True, "an interrupted run has not refreshed them")


def _sources(desired: Desired, state: State) -> Iterator[Entry]:
    for file in desired.early_files:
        reason = _file_differs(file, state)
        yield Entry("source", file.path, bool(reason), reason or "content, owner and mode are as declared")


def _trees(desired: Desired, state: State) -> Iterator[Entry]:
    reasons = {None: "it is missing", False: "its content differs", True: "content is as its name says"}
    for tree in desired.trees:
        whole = state.trees.get(tree.folder)
        yield Entry("tree", f"{ROOT}/{tree.folder}", not whole, reasons[whole])
    for folder in sorted(set(state.trees) - {tree.folder for tree in desired.trees}):
        yield Entry("tree", f"{ROOT}/{folder}", True, "it is no longer wanted")


def _files(desired: Desired, state: State) -> Iterator[Entry]:
    for file in desired.files:
        reason = _file_differs(file, state)
        yield Entry("file", file.path, bool(reason), reason or "content, owner and mode are as declared")
    wanted = {file.path for file in (*desired.early_files, *desired.files)} | set(desired.others)
    for path in state.placed:
        if path not in wanted:
            yield Entry("file", path, True, "it is no longer wanted")


def _file_differs(file: File, state: State) -> str:
    """Why a file is not as declared; "" where it is."""
    if file.path not in state.placed:
        return "lanpi has not placed it yet"
    found = state.files.get(file.path)
    if found is None:
        return "it is missing"
    if found.digest != hashlib.sha256(file.content.encode()).hexdigest():
        return "its content differs"
    return _owners_differ(found, file.owner, file.group, file.mode)


def _owners_differ(found: FileState | Owners, owner: str, group: str, mode: str) -> str:
    if (found.owner, found.group) != (owner, group):
        return f"it belongs to {found.owner}:{found.group}, not to {owner}:{group}"
    return "" if found.mode == mode else f"its mode is {found.mode}, not {mode}"


def _owner(made: Ownership, found: Owners) -> Entry:
    reason = _owners_differ(found, made.owner, made.group, made.mode)
    return Entry("owner", made.path, bool(reason), reason or "owner and mode are as declared")


def _units(desired: Desired, state: State) -> Iterator[Entry]:
    for unit in desired.units:
        name = unit["name"]
        reason = _unit_differs(unit, state.units.get(name, {}), state.pending.get(name))
        yield Entry("unit", name, bool(reason), reason or _unit_reason(unit, state.units[name]))
    declared = {unit["name"] for unit in desired.units} | {"apt"}
    for name, verb in sorted(state.pending.items()):
        if name not in declared:
            yield Entry("unit", name, True, f"a changed file has asked for a {verb}")


def _unit_differs(unit: Mapping[str, Any], found: Mapping[str, str], pending: str | None) -> str:
    """Why the lanpi_units module would have something to do for a unit; "" where it would not."""
    if found.get("LoadState", "not-found") != "loaded":
        missing = found.get("LoadState") in ("not-found", "masked")
        return "" if missing and unit.get("optional") else f"systemd says {found.get('LoadState', 'nothing')}"
    if pending:
        return f"a changed file has asked for a {pending}"
    if found.get("NeedDaemonReload") == "yes":
        return "systemd has not read its file again"
    if unit.get("enabled") is True and found["UnitFileState"] in NOT_ENABLED:
        return f"it is {found['UnitFileState']}"
    if unit.get("enabled") is False and found["UnitFileState"] in ENABLED:
        return "it is enabled"
    return _activity_differs(unit.get("state"), found)


def _activity_differs(wanted: str | None, found: Mapping[str, str]) -> str:
    active = found["ActiveState"] in ACTIVE
    if wanted == "stopped":
        return "it is running" if active else ""
    if wanted == "started" and not active and not _held_back(found):
        return f"it is {found['ActiveState']}"
    if wanted == "run" and found["ActiveState"] != "active" and not _held_back(found) and not _has_run(found):
        return "it has not done its work"
    return ""


def _held_back(found: Mapping[str, str]) -> bool:
    """Whether systemd tried to start a unit and its conditions did not hold: not for this machine."""
    return found.get("ConditionResult") == "no" and found.get("ConditionTimestampMonotonic", "0") not in ("", "0")


def _has_run(found: Mapping[str, str]) -> bool:
    """Whether a oneshot that does not stay active has done its work, and well, since the Pi started."""
    return (
        found.get("Type") == "oneshot"
        and found.get("RemainAfterExit") == "no"
        and found["ActiveState"] in ("inactive", "activating")
        and found.get("Result") == "success"
        and found.get("ExecMainExitTimestampMonotonic", "0") not in ("", "0")
    )


def _is_routine(unit: Mapping[str, Any], state: State) -> bool:
    found = state.units.get(unit["name"], {})
    return unit.get("state") == "run" and found.get("LoadState") == "loaded" and _has_run(found)


def _unit_reason(unit: Mapping[str, Any], found: Mapping[str, str]) -> str:
    if found.get("LoadState") != "loaded":
        return "it is not on this machine"
    if _held_back(found) and found["ActiveState"] not in ACTIVE:
        return "it is not for this machine: systemd's conditions do not hold"
    return {"started": "it is running", "stopped": "it is not running", "run": "it has done its work"}.get(
        unit.get("state", ""), "it is left as it is"
    )
