"""One account or room of a snapshot's SQLite file, into the SQLite file that is in use.

ejabberd gives its SQLite file up at once when somebody else writes it ("database is locked"), and would lose what
it was about to write: so it is stopped for the moment of the merge, which is one transaction.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from lanpi.pi.backup import merge
from lanpi.pi.backup.common import Problem, Reporter, command
from lanpi.pi.backup.content import check_sqlite, resting
from lanpi.pi.backup.document import Database, Item
from lanpi.pi.backup.exchange import fold_log
from lanpi.pi.backup.moved import SERVER


def space(_entry: Database) -> int:
    """Bytes that the merge needs in addition to the fetched file."""
    return 0


def bring(reporter: Reporter, live: Item, entry: Database, root: Path, part: merge.Part) -> dict[str, int]:
    """Merge the account's or room's rows from the fetched file; returns the rows added per table.

    live: what the manifest says of the live database. entry: what the snapshot says of its own, which is in `root`.
    """
    fetched, path = root / entry["file"], Path(live["path"])
    check_sqlite(fetched)
    with resting(fetched) as database:
        if not _holds(database, part):
            raise merge.absent(part)
    reporter.step("Restoring it while the server is stopped for a moment")
    command(["systemctl", "stop", SERVER], seconds=180)
    try:
        fold_log(path)
        with _opened(path) as database:
            attach(database, quote(str(fetched)))
            return run(database, part)
    except sqlite3.Error as error:
        raise Problem(f"nothing was restored: {error}", "Restore the whole snapshot onto another Pi") from error
    finally:
        command(["systemctl", "start", SERVER], seconds=300)


def attach(live: sqlite3.Connection, snapshot: str) -> None:
    """Make the snapshot's file, which nobody writes, visible to the connection."""
    live.execute("ATTACH DATABASE ? AS snapshot", (f"file:{snapshot}?immutable=1",))


def run(live: sqlite3.Connection, part: merge.Part) -> dict[str, int]:
    """Merge in one transaction, into `main` from `snapshot`; rows added per table."""
    tables = merge.shared(_columns(live, "main"), _columns(live, "snapshot"))
    added = {}
    live.execute("BEGIN IMMEDIATE")
    for table, statement in merge.statements(part, tables, merge.SQLITE):
        count = live.execute(statement, part.values).rowcount
        if table and count:
            added[table] = count
    live.execute("COMMIT")
    return added


def _holds(snapshot: sqlite3.Connection, part: merge.Part) -> bool:
    table, where = part.itself
    condition = merge.SQLITE.matches("here", where)
    return bool(snapshot.execute(f'SELECT 1 FROM "{table}" AS here WHERE {condition}', part.values).fetchone())


def _columns(live: sqlite3.Connection, schema: str) -> merge.Tables:
    names = live.execute(f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
    return {name: _columns_of(live, schema, name) for (name,) in names.fetchall()}


def _columns_of(live: sqlite3.Connection, schema: str, table: str) -> list[merge.Column]:
    rows = live.execute(f'PRAGMA {schema}.table_info("{table}")').fetchall()
    keys = [name for _, name, _, _, _, key in rows if key]
    return [
        merge.Column(name, bool(required), kind.upper() == "INTEGER" and keys == [name])
        for _, name, kind, required, _, _ in rows
    ]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(f"file:{quote(str(path))}", uri=True, isolation_level=None)
    try:
        yield database
    finally:
        database.close()  # uncommitted changes are discarded
        for left in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            if left.exists():
                shutil.chown(left, "ejabberd", "ejabberd")
