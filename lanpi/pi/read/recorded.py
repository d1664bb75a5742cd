"""A recorded machine: a file tree, outputs of commands and what system calls answered.

The layout under the tree's root:

- every file at its own path (``proc/meminfo``, ``etc/os-release``), links relative;
- ``commands/PROGRAM/ARGUMENTS`` holds the output of one call, arguments joined by ``_``
  (``no-arguments`` without); with the suffix ``.failed`` the call ended with status 1. No folder:
  the program is not installed. A folder without the call asked for is an error, so that a
  recording cannot silently fall behind;
- ``machine.json`` answers what system calls answer (see the methods for the keys).
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Recorded:
    """The same methods as ``source.Machine``, over a recorded tree."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._machine: dict[str, Any] = json.loads(Path(self._root, "machine.json").read_text("utf-8"))

    def _path(self, path: str) -> Path:
        return Path(self._root + path)

    def read_text(self, path: str) -> str | None:
        try:
            return self._path(path).read_bytes().decode(errors="replace")
        except OSError:
            return None

    def exists(self, path: str) -> bool:
        return self._path(path).exists()

    def names(self, path: str) -> list[str]:
        try:
            return sorted(entry.name for entry in self._path(path).iterdir())
        except OSError:
            return []

    def link(self, path: str) -> str:
        try:
            return str(self._path(path).readlink())
        except OSError:
            return ""

    def resolve(self, path: str) -> str:
        return os.path.realpath(self._path(path)).removeprefix(self._root)

    def modified(self, path: str) -> float | None:
        """From "modified": {path: seconds since the epoch}; git keeps no times."""
        found: float | None = self._machine.get("modified", {}).get(path)
        return found

    def command(self, *argv: str) -> tuple[int, str] | None:
        program = self._path("/commands") / argv[0].rpartition("/")[2]
        if not program.is_dir():
            return None
        recorded = program / ("_".join(argv[1:]).replace("/", "-") or "no-arguments")
        failed = recorded.with_name(recorded.name + ".failed")
        if failed.is_file():
            return 1, failed.read_text("utf-8")
        if recorded.is_file():
            return 0, recorded.read_text("utf-8")
        raise LookupError(f"{self._root} has no recording of: {' '.join(argv)}")

    def show_units(self, units: list[str], properties: Sequence[str]) -> str:
        """From "units": {name: "enabled/active"}; any other unit is not found."""
        known: dict[str, str] = self._machine["units"]
        blocks = []
        for unit in units:
            enabled, _, active = known.get(unit, "/inactive").partition("/")
            load = "loaded" if unit in known else "not-found"
            blocks.append(f"Id={unit}\nLoadState={load}\nUnitFileState={enabled}\nActiveState={active}\n")
        return "\n".join(blocks)

    def can_fetch(self, uri: str) -> bool:
        """From "fetchable": [uri]."""
        return uri in self._machine["fetchable"]

    def lock_holder(self, path: str) -> int | None:
        """From "locks": {path: pid}."""
        holder: int | None = self._machine.get("locks", {}).get(path)
        return holder

    def space(self, path: str) -> tuple[int, int]:
        """From "space": {path: [bytes in all, bytes free]}."""
        total, free = self._machine["space"][path]
        return int(total), int(free)

    def page_size(self) -> int:
        return int(self._machine["page_size"])

    def cores(self) -> int:
        return int(self._machine["cores"])

    def kernel(self) -> str:
        return str(self._machine["kernel"])

    def hostname(self) -> str:
        return str(self._machine["hostname"])

    def epoch(self) -> float:
        return float(self._machine["epoch"])

    def is_root(self) -> bool:
        return bool(self._machine["root"])

    def missing_modules(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """From "missing_modules": [name]; none without."""
        missing: list[str] = self._machine.get("missing_modules", [])
        return tuple(name for name in names if name in missing)

    def kernel_clock_synchronised(self) -> bool | None:
        known: bool | None = self._machine["clock_synchronised"]
        return known
