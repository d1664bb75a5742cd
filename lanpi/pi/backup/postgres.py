"""A PostgreSQL database: dumped with its rows counted in the same transaction, restored beside the old one."""

import subprocess
from pathlib import Path

from lanpi.pi.backup.common import Problem, command
from lanpi.pi.backup.content import COUNT_NOBODYS, hash_differences, sha256, table_differences
from lanpi.pi.backup.document import Database, Item

AS_POSTGRES = ["runuser", "-u", "postgres", "--"]
PSQL = [*AS_POSTGRES, "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1;"


PART_DATABASE = "lanpi_part"
DRILL_DATABASE = "lanpi_drill"

# The rows' count and a hash of them in any order: the sum of 60 bits of each row's MD5. Against damage and loss.
COUNT = """SELECT count(*) || ' ' || coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)
  FROM "{table}" t;"""


def counted(lines: dict[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    """Rows and hashes of tables from COUNT's answers: {table: "ROWS HASH"}."""
    pairs = {table: line.split() for table, line in lines.items()}
    return {table: int(rows) for table, (rows, _) in pairs.items()}, {
        table: value for table, (_, value) in pairs.items()
    }


def query(sql: str, database: str = "postgres", values: dict[str, str] | None = None) -> str:
    """The output of psql, stripped.

    values: variables that the SQL names as :'name', which psql quotes. No secrets: they are in the argument list.
    """
    variables = [argument for name, value in (values or {}).items() for argument in ("-v", f"{name}={value}")]
    return command([*PSQL, *variables, "-d", database], stdin=sql).strip()


def size(item: Item) -> int:
    """Bytes of the database, an upper bound of its dump."""
    return int(query(f"SELECT pg_database_size('{item['database']}')"))


def dump(item: Item, stage: Path) -> Database:
    """Dump into `stage`; the entry for the content."""
    name = f"databases/{item['name']}.pgdump"
    target = stage / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    # The counts and the dump must see the same moment: pg_dump joins this session's snapshot while it stays open.
    with subprocess.Popen(
        [*PSQL, "-d", item["database"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    ) as session:
        try:
            snapshot = _ask(session, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot();")[0]
            names = _ask(session, TABLES)
            rows, hashes = counted({table: _ask(session, COUNT.format(table=table))[0] for table in names})
            nobodys = int(_ask(session, f"{COUNT_NOBODYS};")[0]) if "users" in rows else 0
            with target.open("wb") as file:
                done = subprocess.run(
                    [*AS_POSTGRES, "pg_dump", "-Fc", "-Z0", f"--snapshot={snapshot}", item["database"]],
                    stdout=file,
                    stderr=subprocess.PIPE,
                    text=True,
                    check=False,
                    cwd="/",
                )
        finally:
            assert session.stdin
            session.stdin.close()
    if done.returncode != 0:
        raise Problem(f"pg_dump failed: {done.stderr.strip()}")
    target.chmod(0o600)
    return {
        "kind": "postgresql",
        "name": item["name"],
        "file": name,
        "database": item["database"],
        "owner": item["owner"],
        "bytes": target.stat().st_size,
        "sha256": sha256(target),
        "tables": rows,
        "nobodys": nobodys,
        "hashes": hashes,
    }


def _ask(session: subprocess.Popen[str], sql: str) -> list[str]:
    assert session.stdin
    assert session.stdout
    session.stdin.write(sql + "\n\\echo lanpi-end\n")
    session.stdin.flush()
    lines = []
    while (line := session.stdout.readline().rstrip("\n")) != "lanpi-end":
        if session.poll() is not None:
            raise Problem("PostgreSQL ended the session", "Run `lanpi doctor` to see what is wrong")
        lines.append(line)
    return lines


def load(entry: Database, root: Path, database: str, *, only_rows: bool = False) -> list[str]:
    """Restore the dump as a separate database; returns how it differs from the original.

    database: its new name; one of that name is dropped first.
    only_rows: without indexes, keys and references, for a database that is read through once.
    """
    sections = ["--section=pre-data", "--section=data"] if only_rows else []
    query(f'DROP DATABASE IF EXISTS "{database}"')
    query(f'CREATE DATABASE "{database}" OWNER "{entry["owner"]}" ENCODING \'UTF8\' TEMPLATE template0')
    with (root / entry["file"]).open("rb") as file:
        done = subprocess.run(
            [*AS_POSTGRES, "pg_restore", "--exit-on-error", *sections, "-d", database],
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
    if done.returncode != 0:
        raise Problem(f"pg_restore failed: {done.stderr.strip()}")
    return compare(entry, database)


def compare(entry: Database, database: str) -> list[str]:
    """Tables of a database that differ from a snapshot, by rows and by hash."""
    names = query(TABLES, database).split()
    rows, hashes = counted({table: query(COUNT.format(table=table), database) for table in names})
    wrong = table_differences(entry["tables"], rows)
    return wrong + hash_differences(entry.get("hashes", {}), hashes, entry["tables"])


def exists(database: str) -> bool:
    """Whether there is a database of that name."""
    return query(f"SELECT 1 FROM pg_database WHERE datname = '{database}'") == "1"


def rename(old: str, new: str) -> None:
    """Rename a database that nobody uses."""
    query(f'ALTER DATABASE "{old}" RENAME TO "{new}"')


def drop(database: str) -> None:
    """Remove a database."""
    query(f'DROP DATABASE IF EXISTS "{database}"')


def drop_leftovers() -> None:
    """Remove what a power cut left of a drill or a partial restore; only while none is in progress."""
    for database in (PART_DATABASE, DRILL_DATABASE):
        drop(database)
