"""One account or room of a snapshot's PostgreSQL dump, into the PostgreSQL database that is in use.

The dump is loaded beside the live database, which sees its tables as its own for one transaction (postgres_fdw, as
SQLite's ATTACH does). PostgreSQL lets others write meanwhile: the server goes on, and forgets what it had cached.
"""

import json
import subprocess
from pathlib import Path

from lanpi.pi.backup import merge, postgres
from lanpi.pi.backup.common import Problem, Reporter, command
from lanpi.pi.backup.document import Database, Item
from lanpi.pi.backup.moved import SERVER

DATABASE = postgres.PART_DATABASE
IM_CALL = "/usr/lib/lanpi/im-call"
COLUMNS = """SELECT coalesce(json_object_agg(table_name, columns), '{}') FROM (
  SELECT table_name, json_agg(json_build_array(
    column_name, is_nullable = 'NO', coalesce(column_default, '') LIKE 'nextval(%' OR is_identity = 'YES'
  ) ORDER BY ordinal_position) AS columns
  FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
  WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY table_name) AS found;"""
# One moment for all statements: where somebody writes the same row meanwhile, all of it is undone. On the card when it
# is done, whatever the configuration says of messages. The extension goes as it came, unless it was there.
BEGIN = f"""\\set VERBOSITY terse
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL synchronous_commit = on;
SET LOCAL client_min_messages = warning;
SELECT NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'postgres_fdw') AS ours,
  current_setting('port') AS port \\gset
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER snapshot FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname '{DATABASE}', port :'port');
CREATE USER MAPPING FOR CURRENT_USER SERVER snapshot;
CREATE SCHEMA snapshot;
IMPORT FOREIGN SCHEMA public FROM SERVER snapshot INTO snapshot;
"""
COMMIT = """DROP SCHEMA snapshot CASCADE;
DROP SERVER snapshot CASCADE;
\\if :ours
DROP EXTENSION postgres_fdw;
\\endif
COMMIT;
"""


def space(entry: Database) -> int:
    """Bytes that it needs beside the dump that was fetched.

    A dump of 41.7 MB (100,000 archived messages) was a database of 52.1 MB without its indexes; the rest is for the
    log.
    """
    return 2 * entry["bytes"]


def bring(reporter: Reporter, live: Item, entry: Database, root: Path, part: merge.Part) -> dict[str, int]:
    """Merge what the fetched dump has of it; rows added per table.

    live: what the manifest says of the live database. entry: what the snapshot says of its own, which is in `root`.
    """
    try:
        reporter.step("Loading the snapshot's database next to the live one")
        wrong = postgres.load(entry, root, DATABASE, only_rows=True)
        if wrong:
            raise Problem(f"the snapshot's database is damaged: {wrong[0]}", "Choose another --snapshot")
        snapshot = _columns(DATABASE)
        if not _holds(part):
            raise merge.absent(part)
        reporter.step("Restoring it while the server is in use")
        open_before = _is_open(part)
        text = script(part, merge.shared(_columns(live["database"]), snapshot))
        try:
            added = counts(postgres.query(text, live["database"], part.values))
        except Problem as problem:
            hint = "Run the command again; if it fails again, restore the whole snapshot onto another Pi"
            raise Problem(f"nothing was restored: {problem.what}", hint) from problem
    finally:
        postgres.drop(DATABASE)
    _refresh(part, added, open_before)
    return added


def script(part: merge.Part, tables: merge.Tables) -> str:
    """For psql: everything in one transaction; says TABLE ROWS for each statement that adds rows."""
    lines = [BEGIN]
    for table, statement in merge.statements(part, tables, merge.POSTGRESQL):
        lines.append(f"{statement};\n")
        if table:
            lines.append(f"\\echo {table} :ROW_COUNT\n")
    return "".join([*lines, COMMIT])


def counts(said: str) -> dict[str, int]:
    """Rows added by table, from the script's output; tables without new rows are left out."""
    pairs = [line.split() for line in said.splitlines()]
    return {table: int(rows) for table, rows in pairs if int(rows)}


def _columns(database: str) -> merge.Tables:
    found = json.loads(postgres.query(COLUMNS, database))
    return {table: [merge.Column(*column) for column in columns] for table, columns in found.items()}


def _holds(part: merge.Part) -> bool:
    table, where = part.itself
    condition = merge.POSTGRESQL.matches("here", where)
    return postgres.query(f'SELECT 1 FROM public."{table}" AS here WHERE {condition};', DATABASE, part.values) == "1"


def _serves() -> bool:
    return subprocess.run(["systemctl", "is-active", "--quiet", SERVER], check=False).returncode == 0


def _call(name: str, /, **arguments: str) -> str:
    return command([IM_CALL, name, "-"], stdin=json.dumps(arguments))


def _is_open(part: merge.Part) -> bool:
    """Whether it is a room that the server holds in memory."""
    if not part.room or not _serves():
        return False
    return part.values["jid"] in json.loads(_call("muc_online_rooms", service=part.host))


def _refresh(part: merge.Part, added: dict[str, int], open_before: bool) -> None:
    """Let the server see the new rows; even if none were added, since an earlier run may have stopped here."""
    if not _serves():
        return
    if open_before and added.keys() - {"archive", "archive_prefs"}:
        # An open room keeps its own list of subscribers, and would write that one over the table; no command makes it
        # read the table again.
        command(["systemctl", "restart", SERVER], seconds=300)
        return
    # It also remembers what it has not found: an account that somebody's phone has tried meanwhile stays unknown.
    _call("clear_cache")
    if part.room:
        _call("get_room_options", name=part.name, service=part.host)  # opens it: a list of rooms shows open ones
