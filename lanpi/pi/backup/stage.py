"""Put a consistent copy of all that a restore needs into one folder, with its content written down beside it.

Databases first, each through its own online backup, then files: an upload that a copied message speaks of was
complete before the message was sent, so it is there. Files are hard links where that is possible, so that
nothing is copied and nobody can remove one while restic reads.
"""

import contextlib
import grp
import json
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from lanpi.pi.backup import postgres
from lanpi.pi.backup.common import FOLDER, HANDED, Problem, Reporter, command, empty, now, read_json, require_space
from lanpi.pi.backup.content import FORMAT, NAME, check_sqlite, hashes, nobodys, resting, sha256, tables
from lanpi.pi.backup.document import Content, Database, FileEntry, Item, Known, Manifest, Mnesia, Owned
from lanpi.pi.files import make_folder, write_whole

LAST = FOLDER / "last-content.json"
IM_CALL = "/usr/lib/lanpi/im-call"
HTTP_OK = 200
BUSY_SECONDS = 60
HANDED_SECONDS = 24 * 3600  # whoever takes longer than this to fetch a copy is gone
FRESH_SECONDS = 5  # a file changed this lately may still be written to


def stage(manifest: Manifest, reporter: Reporter, place: Path) -> Content:
    """Fill `place` (STAGE, HANDED); returns the content.

    manifest: /etc/lanpi/backup-manifest.json.
    Raises Problem when there is no space, when a database cannot be copied or is damaged.
    """
    items = manifest["items"]
    make_folder(FOLDER)
    require_space(FOLDER, _bytes_needed(items), "a consistent copy")
    empty(place)
    began = time.time()
    known: Known | None = read_json(LAST)
    last: Known = known or {"files": {}, "databases": []}
    content: Content = {
        "format": FORMAT,
        "made": now(),
        "hostname": socket.gethostname(),
        "domain": manifest["domain"],
        "versions": versions(manifest["version"]),
        "items": items,
        "databases": [],
        "mnesia": None,
        "files": {},
        "folders": {},
    }
    mnesia = next((item for item in items if item["kind"] == "mnesia"), None)
    with _asked(mnesia) as asked:
        for item in items:
            if item["kind"] in DATABASES:
                reporter.step(f"Copying the database {item['name']}")
                content["databases"].append(DATABASES[item["kind"]](item, place, last["databases"]))
        if asked and mnesia:
            content["mnesia"] = _mnesia(Path(mnesia["path"]), place, asked, reporter)
    reporter.step("Collecting files")
    for item in items:
        if item["kind"] == "files":
            _files(item, place, content, last["files"], began)
    write_whole(place / NAME, json.dumps(content, sort_keys=True))
    return content


def remember(content: Content) -> None:
    """Keep what is known of files and tables, so that the next run need not read the unchanged ones again."""
    write_whole(LAST, json.dumps({"files": content["files"], "databases": content["databases"]}))


def clear(place: Path) -> None:
    """Remove the copy after use: it is as secret as the original, and as large."""
    empty(place)


def forget_handed() -> None:
    """Remove a copy that was never fetched, because the connection of whoever asked for it was lost."""
    if HANDED.exists() and time.time() - HANDED.stat().st_mtime > HANDED_SECONDS:
        empty(HANDED)


def versions(lanpi: str) -> dict[str, str]:
    """lanpi's version and those of the packages that wrote the data."""
    said = command(["dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n"])
    rows = (line.split() for line in said.splitlines())
    wanted = ("ejabberd", "postgresql", "restic")
    return {"lanpi": lanpi} | {row[0]: row[1] for row in rows if row[-1] == "installed" and row[0] in wanted}


def _bytes_needed(items: list[Item]) -> int:
    """Upper bound of the space that the copy takes in addition to the originals."""
    needed = 0
    for item in items:
        if item["kind"] == "sqlite":
            paths = [Path(item["path"]), Path(item["path"] + "-wal")]
        elif item["kind"] == "postgresql":
            needed += postgres.size(item)
            continue
        elif item["kind"] == "files" and not _can_link(Path(item["path"])):
            paths = [path for path, _ in _walk(Path(item["path"]))]
        else:
            continue
        needed += sum(path.stat().st_size for path in paths if path.is_file())
    return needed


def _can_link(path: Path) -> bool:
    return path.exists() and path.stat().st_dev == FOLDER.stat().st_dev


def _sqlite(item: Item, place: Path, last: list[Database]) -> Database:
    """One read transaction from begin to end: in WAL mode writers go on meanwhile, and none of it is in the copy."""
    source, name = Path(item["path"]), f"databases/{item['name']}.sqlite"
    target = place / name
    target.parent.mkdir(mode=0o700, exist_ok=True)
    if not source.is_file():
        raise Problem(f"{source} is missing", "Run `lanpi doctor` to see what is wrong with the server")
    live = sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    copy = sqlite3.connect(target)
    try:
        copy.execute("PRAGMA synchronous = OFF")  # written again after a power cut
        # All pages in one step: between two steps a writer would make SQLite start over (sqlite.org/backup.html).
        live.backup(copy, pages=-1)
    except sqlite3.Error as error:
        raise Problem(f"{source} cannot be copied: {error}", "Run `lanpi doctor` to see what is wrong") from error
    finally:
        copy.close()
        live.close()
    target.chmod(0o600)
    entry: Database = {
        "kind": "sqlite",
        "name": item["name"],
        "file": name,
        "path": item["path"],
        "owner": item["owner"],
        "bytes": target.stat().st_size,
        "sha256": sha256(target),
        "tables": {},
    }
    # Byte for byte what the last run has checked, counted and hashed.
    same = next((known for known in last if _is_same(entry, known)), None)
    if same:
        return same
    check_sqlite(target)
    with resting(target) as database:
        entry["tables"], entry["nobodys"] = tables(database), nobodys(database)
        entry["hashes"] = hashes(database)
    return entry


def _is_same(entry: Database, known: Database) -> bool:
    """Whether a copy is the one that is known with everything that is counted of it."""
    counted = ("tables", "nobodys", "hashes")
    return (
        "hashes" in known
        and "nobodys" in known
        and all(known.get(name) == value for name, value in entry.items() if name not in counted)
    )


def _postgresql(item: Item, place: Path, _last: list[Database]) -> Database:
    return postgres.dump(item, place)


DATABASES = {"sqlite": _sqlite, "postgresql": _postgresql}


@contextlib.contextmanager
def _asked(item: Item | None) -> Iterator[subprocess.Popen[str] | None]:
    """Ask ejabberd for its own backup of Mnesia, which it makes while the databases are copied; None without `item`.

    All in one call: each start of Python costs a Pi more than what it asks.
    """
    if item is None:
        yield None
        return
    Path(item["path"]).unlink(missing_ok=True)
    calls = [["mnesia_list_tables", {}], ["backup", {"file": item["path"]}]]
    pipe = subprocess.PIPE
    with subprocess.Popen([IM_CALL, "batch"], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as asked:
        with contextlib.suppress(BrokenPipeError):  # its exit status is checked
            assert asked.stdin
            asked.stdin.write(json.dumps(calls))
            asked.stdin.close()
        asked.stdin = None  # communicate() would write to it
        yield asked


def _mnesia(written: Path, place: Path, asked: subprocess.Popen[str], reporter: Reporter) -> Mnesia | None:
    """What ejabberd keeps in Mnesia on disk: with SQL storage only its schema. None when it is not running."""
    answers, _ = asked.communicate()
    if asked.returncode != 0:
        # A server that is down must not prevent a backup: people's data are in the database and the files.
        reporter.say("note", text="ejabberd is not running: the backup has no copy of Mnesia", next_step="lanpi doctor")
        return None
    (listed, answer), (backed_up, said) = json.loads(answers)
    if backed_up != HTTP_OK:
        raise Problem(f"ejabberd's own backup failed: {said.strip()}", "See why: lanpi logs ejabberd")
    # ejabberd before 25 has no such command; its tables are then in the backup, but not counted.
    rows = json.loads(answer) if listed == HTTP_OK else []
    on_disk = {row["name"]: row["elements"] for row in rows if "disc" in row["storage_type"].lower()}
    if not written.is_file() or written.stat().st_size == 0:
        raise Problem("ejabberd's own backup left no file", "See why: lanpi logs ejabberd")
    target = place / "mnesia" / "ejabberd.backup"
    target.parent.mkdir(mode=0o700)
    shutil.move(written, target)
    target.chmod(0o600)
    return {
        "file": "mnesia/ejabberd.backup",
        "bytes": target.stat().st_size,
        "sha256": sha256(target),
        "tables": on_disk,
        "counted": listed == HTTP_OK,
    }


def _walk(path: Path) -> Iterator[tuple[Path, bool]]:
    """A file, or all files and folders below a folder, with whether each is a folder; links are left out."""
    if path.is_file() and not path.is_symlink():
        yield path, False
    elif path.is_dir() and not path.is_symlink():
        yield path, True
        for child in sorted(path.iterdir()):
            yield from _walk(child)


def _files(item: Item, place: Path, content: Content, known: dict[str, FileEntry], began: float) -> None:
    for path, is_folder in _walk(Path(item["path"])):
        target = Path(f"{place}/files{path}")
        try:
            status = path.lstat()
            owned: Owned = {
                "item": item["name"],
                "mode": status.st_mode & 0o7777,
                "owner": _user(status.st_uid),
                "group": _group(status.st_gid),
            }
            if is_folder:
                target.mkdir(parents=True, exist_ok=True)
                content["folders"][str(path)] = owned
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            _take(path, target, fresh=status.st_mtime > began - FRESH_SECONDS)
        except FileNotFoundError:
            continue  # removed by its owner in the meantime
        copied = target.stat()
        before = known.get(str(path))
        same = before and (before["bytes"], before["mtime_ns"], before["inode"]) == (
            copied.st_size,
            copied.st_mtime_ns,
            status.st_ino,
        )
        content["files"][str(path)] = {
            **owned,
            "bytes": copied.st_size,
            "mtime_ns": copied.st_mtime_ns,
            "inode": status.st_ino,
            "sha256": before["sha256"] if before and same else sha256(target),
        }


def _take(path: Path, target: Path, *, fresh: bool) -> None:
    """A link costs nothing, but shares later writes: what may still be written to is copied."""
    if not fresh:
        try:
            os.link(path, target, follow_symlinks=False)
            return
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                raise
            # Another file system, or one without links: copied, and the space for it was asked for.
    shutil.copy2(path, target, follow_symlinks=False)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
