"""What a snapshot holds, in numbers: rows of each table, SHA-256 of each file; and whether a copy holds the same."""

import contextlib
import hashlib
import sqlite3
from pathlib import Path
from urllib.parse import quote

from lanpi.pi.backup.common import Problem

NAME = "content.json"
# The accounts with which the Pi checks itself (lanpi/checks/names.py): in every copy, and not among the people.
NOBODYS = ("lanpi-check-1", "lanpi-check-2")
COUNT_NOBODYS = f"SELECT count(*) FROM users WHERE username IN {NOBODYS}"
FORMAT = 1
CHUNK = 1024 * 1024


def sha256(path):
    """Hexadecimal digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def resting(path):
    """A SQLite file that nobody writes, without the -wal and -shm files that opening would leave beside it."""
    database = sqlite3.connect(f"file:{quote(str(path))}?immutable=1", uri=True)
    try:
        yield database
    finally:
        database.close()


def tables(database):
    """Rows of each table of a SQLite database."""
    names = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
    )
    found = [name.decode() if isinstance(name, bytes) else name for (name,) in names.fetchall()]
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in found}


def nobodys(database):
    """How many of the rows of accounts are the checks' own."""
    if "users" not in tables(database):
        return 0
    return database.execute(COUNT_NOBODYS).fetchone()[0]


def hashes(database):
    """A hash of the rows of each table, whatever their order: the sum of the rows' SHA-256, modulo 2 ** 256.

    Against damage and loss, not against somebody who forges rows.
    """
    database.text_factory = bytes  # text that is no UTF-8 is data, too
    return {name: _table_hash(database, name) for name in tables(database)}


def _table_hash(database, name):
    total = 0
    for row in database.execute(f'SELECT * FROM "{name}"'):
        total += int.from_bytes(hashlib.sha256(repr(row).encode()).digest(), "big")
    return f"{total % 2**256:064x}"


def check_sqlite(path):
    """Raise when the database file is damaged (sqlite.org/pragma.html, quick_check)."""
    with resting(path) as database:
        try:
            (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            said = str(error)
    if said != "ok":
        raise Problem(f"the database {path.name} is damaged: {said}", "Restore the newest snapshot that verifies")


def read_content(content):
    """Refuse what a later lanpi wrote."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise Problem(
            "this snapshot is not one that this lanpi understands",
            "Take the lanpi that made it, or a later one",
            "bad-input",
        )
    return content


def differences(content, root):
    """What of a restored tree is not what the snapshot's content says; empty when all is there.

    content: the snapshot's own.
    root: folder with the restored tree.
    """
    wrong = []
    for path, entry in content["files"].items():
        copy = Path(f"{root}/files{path}")
        if not copy.is_file():
            wrong.append(f"{path} is missing")
        elif copy.stat().st_size != entry["bytes"] or sha256(copy) != entry["sha256"]:
            wrong.append(f"{path} is not what was backed up")
    for database in content["databases"]:
        copy = Path(root) / database["file"]
        if not copy.is_file():
            wrong.append(f"{database['file']} is missing")
        elif sha256(copy) != database["sha256"]:
            wrong.append(f"{database['file']} is not what was backed up")
        elif database["kind"] == "sqlite":
            check_sqlite(copy)
            wrong += sqlite_differences(database, copy)
    return wrong


def sqlite_differences(expected, path):
    """Tables of a resting SQLite file that are not as a snapshot says, by rows and by hash."""
    with resting(path) as database:
        wrong = table_differences(expected["tables"], tables(database))
        return wrong + hash_differences(expected.get("hashes", {}), hashes(database), expected["tables"])


def hash_differences(expected, found, counts):
    """Tables with as many rows, and others. Snapshots of earlier lanpis have no hashes: nothing to compare.

    counts: rows of each table; an empty one has no rows to differ.
    """
    return [
        f"table {name} has other rows"
        for name, value in expected.items()
        if counts.get(name) and found.get(name, value) != value
    ]


def table_differences(expected, found):
    """Tables whose number of rows is another one."""
    return [
        f"table {name} has {found.get(name, 'no')} rows instead of {count}"
        for name, count in expected.items()
        if found.get(name) != count
    ]


def summary(content):
    """A snapshot in a few numbers, for lists and lines."""
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


def total_bytes(content):
    """What the snapshot takes when it is restored."""
    files = sum(entry["bytes"] for entry in content["files"].values())
    return files + sum(database["bytes"] for database in content["databases"])
