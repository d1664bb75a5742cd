"""Exchange a stopped server's data for restored ones, and back; each step can be interrupted and repeated.

tree: folder with the restored snapshot. previous: folder that takes what was there before.
"""

import os
import shutil
import sqlite3
import time
from pathlib import Path

from lanpi.pi.backup import postgres
from lanpi.pi.backup.common import Problem
from lanpi.pi.backup.content import sqlite_differences
from lanpi.pi.backup.document import Content, Database, Item
from lanpi.pi.files import make_folder, sync_folder

OLD_DATABASE = "lanpi_previous"
NEW_DATABASE = "lanpi_restored"


def exchange(content: Content, tree: Path, previous: Path) -> None:
    """Put everything in a snapshot into place."""
    for entry in content["databases"]:
        if entry["kind"] == "sqlite":
            _exchange_sqlite(entry, tree, previous)
        else:
            _exchange_postgresql(entry, tree)
    for item in content["items"]:
        if is_data(item):
            _exchange_folder(item, content, tree, previous)


def give_back(content: Content, tree: Path, previous: Path) -> None:
    """Put the previous data back into place."""
    for entry in content["databases"]:
        if entry["kind"] == "sqlite":
            path = Path(entry["path"])
            kept = Path(f"{previous}/files{path}")
            if kept.exists():
                fold_log(path)
                path.replace(tree / entry["file"])
                kept.replace(path)
        elif postgres.exists(OLD_DATABASE):
            if postgres.exists(entry["database"]):
                postgres.rename(entry["database"], NEW_DATABASE)
            postgres.rename(OLD_DATABASE, entry["database"])
    for item in content["items"]:
        if is_data(item):
            _give_back_folder(item, tree, previous)


def is_data(item: Item) -> bool:
    """Whether a folder is exchanged while the server is stopped; settings are placed before that."""
    return item["kind"] == "files" and item.get("place", "data") == "data"


def keep_place(kept: Path) -> None:
    """Make the folder for kept data; only root may enter, so the data stay as private as they were."""
    top = next(folder for folder in kept.parents if folder.name == "previous")
    make_folder(top.parent)
    kept.parent.mkdir(parents=True, exist_ok=True)
    top.chmod(0o700)


def _exchange_postgresql(entry: Database, tree: Path) -> None:
    if not postgres.exists(NEW_DATABASE):
        if postgres.exists(OLD_DATABASE) and postgres.exists(entry["database"]):
            return  # done before an interruption
        # On a Pi that had no PostgreSQL when the snapshot was fetched, it is loaded and compared only now.
        wrong = postgres.load(entry, tree, NEW_DATABASE)
        if wrong:
            raise Problem(f"the snapshot cannot be restored: {'; '.join(wrong[:5])}", "Choose another --snapshot")
    if postgres.exists(entry["database"]):
        if postgres.exists(OLD_DATABASE):
            postgres.drop(entry["database"])  # an empty one, made by a start in between
        else:
            postgres.rename(entry["database"], OLD_DATABASE)
    postgres.rename(NEW_DATABASE, entry["database"])


def _exchange_sqlite(entry: Database, tree: Path, previous: Path) -> None:
    """The new file takes the old one's place in one rename, so that there is always one.

    The write-ahead log must be gone first: SQLite would replay the old one into the new file.
    """
    new, path = tree / entry["file"], Path(entry["path"])
    if not new.exists():
        return  # done before an interruption
    kept = Path(f"{previous}/files{path}")
    if path.exists():
        fold_log(path)
        if not kept.exists():
            keep_place(kept)
            os.link(path, kept)
    make_folder(path.parent)
    wrong = sqlite_differences(entry, new)
    if wrong:
        raise Problem(
            f"the copy has changed since it was compared: {'; '.join(wrong[:5])}", "Run the same command again"
        )
    new.chmod(0o600)
    shutil.chown(new, entry["owner"], entry["owner"])
    new.replace(path)
    sync_folder(path.parent)


def fold_log(path: Path) -> None:
    """Write a SQLite file's write-ahead log into the file itself."""
    database = sqlite3.connect(path, timeout=60)
    try:
        (busy, _, _) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        database.close()
    if busy or Path(f"{path}-wal").exists():
        raise Problem(f"{path} is in use by another program", "Run `lanpi doctor` to see which one")


def _exchange_folder(item: Item, content: Content, tree: Path, previous: Path) -> None:
    path, done = Path(item["path"]), _mark(item, previous)
    new, kept = Path(f"{tree}/files{path}"), Path(f"{previous}/files{path}")
    if done.exists():
        return
    for name, entry in (*content["folders"].items(), *content["files"].items()):
        copy = Path(f"{tree}/files{name}")
        if entry["item"] == item["name"] and copy.exists():
            copy.chmod(entry["mode"])
            shutil.chown(copy, entry["owner"], entry["group"])
    keep_place(kept)
    # After an interruption between the two renames, either it is done or the new one is still to come.
    if path.exists() and (new.exists() or not kept.exists()):
        # A second one comes from a server start in between.
        path.rename(kept if not kept.exists() else kept.with_name(f"{kept.name}.{time.time_ns()}"))
    if new.exists():
        make_folder(path.parent)
        new.rename(path)
    done.parent.mkdir(parents=True, exist_ok=True)
    done.touch()
    sync_folder(path.parent)


def _give_back_folder(item: Item, tree: Path, previous: Path) -> None:
    path, done = Path(item["path"]), _mark(item, previous)
    kept = Path(f"{previous}/files{path}")
    if not done.exists() and not kept.exists():
        return  # not exchanged yet
    if done.exists() and path.exists():
        path.rename(Path(f"{tree}/files{path}"))
    if kept.exists():
        kept.rename(path)
    done.unlink(missing_ok=True)


def _mark(item: Item, previous: Path) -> Path:
    return previous / f"exchanged-{item['name']}"
