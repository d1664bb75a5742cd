"""The state of what lanpi declares - files, owners, units, packages - for a plan on the operator's side.

No secret leaves the Pi: where a file holds one, its placeholder is hashed in its place, as templates have it.
"""

import grp
import hashlib
import json
import os
import pwd
import re
import stat
import sys
from pathlib import Path
from typing import Any

from lanpi.pi.read.packages import read_status
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine
from lanpi.pi.read.trees import ROOT, look

Source = Machine | Recorded

REMEMBERED = "/var/lib/lanpi/state.json"
SECRETS = "/etc/lanpi/secrets.json"
PLACEHOLDER = "@LANPI_SECRET:{}@"
UNFILLED = re.compile(PLACEHOLDER.format("[a-z_]+"))
PROPERTIES = (
    "LoadState,ActiveState,UnitFileState,ConditionResult,ConditionTimestampMonotonic,NeedDaemonReload,Type,"
    "RemainAfterExit,Result,ExecMainExitTimestampMonotonic"
)


def known_secrets(text: str | None) -> dict[str, str]:
    """The secrets file's values: name -> value; nothing where there is no such file, or a damaged one."""
    try:
        values = json.loads(text or "{}")
    except ValueError:
        return {}
    return {n: v for n, v in values.items() if isinstance(v, str) and v} if isinstance(values, dict) else {}


def masked_digest(content: bytes, secrets: dict[str, str]) -> str:
    """SHA-256 of a file's content with each secret's placeholder in its place.

    A short secret may stand in other words too: the hash is then not the template's, and the file counts as
    different, which costs a closer look and nothing else. The same goes for a placeholder that nobody filled in.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return hashlib.sha256(content).hexdigest()
    if UNFILLED.search(text):
        return "unfilled"
    for name, value in secrets.items():
        text = text.replace(value, PLACEHOLDER.format(name))
    return hashlib.sha256(text.encode()).hexdigest()


class Names:
    """Users and groups by number, each looked up once; the number itself where it has no name."""

    def __init__(self) -> None:
        self._users: dict[int, str] = {}
        self._groups: dict[int, str] = {}

    def user(self, number: int) -> str:
        if number not in self._users:
            try:
                self._users[number] = pwd.getpwuid(number).pw_name
            except KeyError:
                self._users[number] = str(number)
        return self._users[number]

    def group(self, number: int) -> str:
        if number not in self._groups:
            try:
                self._groups[number] = grp.getgrgid(number).gr_name
            except KeyError:
                self._groups[number] = str(number)
        return self._groups[number]


def owners(path: str, names: Names) -> dict[str, str] | None:
    """Mode, owner and group of what is at a path, links not followed; None where nothing is."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return {
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": names.user(found.st_uid),
        "group": names.group(found.st_gid),
    }


def file_state(path: str, secrets: dict[str, str], names: Names) -> dict[str, str] | None:
    """Digest, mode, owner and group of a regular file; None where there is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a hundred of them, and pathlib takes its time
            found = os.fstat(file.fileno())
            content = file.read() if stat.S_ISREG(found.st_mode) else None
    except OSError:
        return None
    if content is None:
        return None
    return {
        "digest": masked_digest(content, secrets),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
        "owner": names.user(found.st_uid),
        "group": names.group(found.st_gid),
    }


def units(source: Source, asked: list[str]) -> dict[str, dict[str, str]]:
    """systemd's properties of units, by the name asked for (an alias answers with its real Id)."""
    if not asked:
        return {}
    done = source.command("systemctl", "show", f"--property={PROPERTIES}", "--", *asked)
    blocks = done[1].strip().split("\n\n") if done else []
    if len(blocks) != len(asked):
        return {}
    rows = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
    return dict(zip(asked, rows, strict=True))


def collect(source: Source, asked: dict[str, list[str]]) -> dict[str, Any]:
    """What ``lanpi.deploy.reading.State`` holds, as plain data under the same names.

    Args:
        source: the machine.
        asked: ``units``, ``packages`` and ``made`` (paths): names to tell about.
    """
    names = Names()
    try:
        remembered = json.loads(source.read_text(REMEMBERED) or "{}")
    except ValueError:
        remembered = {}
    secrets = known_secrets(source.read_text(SECRETS))
    versions, unfinished = read_status(source)
    placed = sorted(remembered.get("files", {}))
    files = {path: file_state(path, secrets, names) for path in placed}
    made = {path: owners(path, names) for path in asked["made"]}
    return {
        "files": {path: state for path, state in files.items() if state},
        "placed": placed,
        "made": {path: state for path, state in made.items() if state},
        "pending": dict(remembered.get("pending", {})),
        "units": units(source, asked["units"]),
        "packages": [name for name in asked["packages"] if name in versions],
        "unfinished": unfinished,
        "trees": look(Path(ROOT)),
    }


def main() -> None:
    """Command line: what is asked for, as JSON."""
    json.dump(collect(Machine(), json.loads(sys.argv[1])), sys.stdout)


if __name__ == "__main__":
    main()
