"""A snapshot's content in numbers: rows of each table, SHA-256 of each file; and whether a copy has the same."""

import contextlib
import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lanpi.pi.backup.common import Problem
from lanpi.pi.backup.document import Content, Database, Summary

NAME = "content.json"
# The accounts with which the Pi checks itself (lanpi/checks/names.py): in every copy, and not among the people.
NOBODYS = ("lanpi-check-1", "lanpi-check-2")
COUNT_NOBODYS = f"SELECT count(*) FROM users WHERE username IN {NOBODYS}"
FORMAT = 1
CHUNK = 1024 * 1024


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def resting(path: Path) -> Iterator[sqlite3.Connection]:
    """A SQLite file that nobody writes to, opened without leaving -wal and -shm files beside it."""
    database = sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)
    try:
        yield database
    finally:
        database.close()


def tables(database: sqlite3.Connection) -> dict[str, int]:
    """Rows of each table of a SQLite database."""
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
    )
    found = [name.decode() if isinstance(name, bytes) else name for (name,) in names.fetchall()]
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in found}


def nobodys(database: sqlite3.Connection) -> int:
    """How many account rows belong to the Pi's own checks."""
    if "users" not in tables(database):
        return 0
    return int(database.execute(COUNT_NOBODYS).fetchone()[0])


def hashes(database: sqlite3.Connection) -> dict[str, str]:
    """A hash of the rows of each table, whatever their order: the sum of the rows' SHA-256, modulo 2 ** 256.

    It detects damage and loss, not forged rows.
    """
    database.text_factory = bytes  # text that is not valid UTF-8 is data, too
    return {name: _table_hash(database, name) for name in tables(database)}


def _table_hash(database: sqlite3.Connection, name: str) -> str:
    total = 0
    for row in database.execute(f'SELECT * FROM "{name}"'):
        total += int.from_bytes(hashlib.sha256(repr(row).encode()).digest(), "big")
    return f"{total % 2**256:064x}"


def check_sqlite(path: Path) -> None:
    """Raise when the database file is damaged (sqlite.org/pragma.html, quick_check)."""
    with resting(path) as database:
        try:
            (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            said = str(error)
    if said != "ok":
        raise Problem(f"the database {path.name} is damaged: {said}", "Restore the newest intact snapshot")


def read_content(content: Any) -> Content:
    """Refuse content that a later lanpi wrote."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise Problem(
            "this version of lanpi cannot read the snapshot",
            "Use the version of lanpi that made it, or a later one",
            "bad-input",
        )
    read: Content = content  # type: ignore[assignment]  # its format says so
    return read


def differences(content: Content, root: Path) -> list[str]:
    """Where a restored tree differs from the snapshot's content; empty when it is complete.

    content: the snapshot's own.
    root: folder with the restored tree.
    """
    wrong = []
    for path, entry in content["files"].items():
        copy = Path(f"{root}/files{path}")
        if not copy.is_file():
            wrong.append(f"{path} is missing")
        elif copy.stat().st_size != entry["bytes"] or sha256(copy) != entry["sha256"]:
            wrong.append(f"{path} differs from what was backed up")
    for database in content["databases"]:
        copy = Path(root) / database["file"]
        if not copy.is_file():
            wrong.append(f"{database['file']} is missing")
        elif sha256(copy) != database["sha256"]:
            wrong.append(f"{database['file']} differs from what was backed up")
        elif database["kind"] == "sqlite":
            check_sqlite(copy)
            wrong += sqlite_differences(database, copy)
    return wrong


def sqlite_differences(expected: Database, path: Path) -> list[str]:
    """Tables of an idle SQLite file that differ from a snapshot, by rows and by hash."""
    with resting(path) as database:
        wrong = table_differences(expected["tables"], tables(database))
        return wrong + hash_differences(expected.get("hashes", {}), hashes(database), expected["tables"])


def hash_differences(expected: dict[str, str], found: dict[str, str], counts: dict[str, int]) -> list[str]:
    """Tables with as many rows, but different ones. Snapshots of earlier lanpis have no hashes: nothing to compare.

    counts: rows of each table; an empty one has no rows to differ.
    """
    return [
        f"table {name} has different rows"
        for name, value in expected.items()
        if counts.get(name) and found.get(name, value) != value
    ]


def table_differences(expected: dict[str, int], found: dict[str, int]) -> list[str]:
    """Tables with a different number of rows."""
    return [
        f"table {name} has {found.get(name, 'no')} rows instead of {count}"
        for name, count in expected.items()
        if found.get(name) != count
    ]


def summary(content: Content) -> Summary:
    """A snapshot in a few numbers, for lists and messages."""
    rows, hidden = {}, 0
    for database in content["databases"]:
        rows.update(database["tables"])
        hidden += database.get("nobodys", 0)  # snapshots of earlier lanpis have none
    uploads = [entry["bytes"] for entry in content["files"].values() if entry["item"] == "uploads"]
    return {
        "made": content["made"],
        "domain": content["domain"],
        "hostname": content["hostname"],
        "versions": content["versions"],
        "people": rows.get("users", 0) - hidden,
        "messages": rows.get("archive", 0),
        "rooms": rows.get("muc_room", 0),
        "uploads": len(uploads),
        "upload_bytes": sum(uploads),
        "bytes": total_bytes(content),
        "tables": rows,
    }


def total_bytes(content: Content) -> int:
    """The space that the snapshot takes when it is restored."""
    files = sum(entry["bytes"] for entry in content["files"].values())
    return files + sum(database["bytes"] for database in content["databases"])
