"""Restore a snapshot, in steps that can each be interrupted and repeated.

fetch: everything, next to the current data, compared with the snapshot's content; nothing else is changed.
settings: put configuration, secrets and certificate authority in place, for the install that follows.
swap: put the data in place with ejabberd stopped; go back automatically if the server does not start with them.
back: put the previous data back. finish: end the restore. discard: remove the previous data.

The previous data are moved to PREVIOUS, and only `discard` removes them.
"""

import json
import os
import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lanpi.pi.backup import moved, postgres
from lanpi.pi.backup.catalogue import TAG, matches, newest
from lanpi.pi.backup.common import Problem, Reporter, command, empty, read_json, require_space
from lanpi.pi.backup.content import (
    NAME,
    NOBODYS,
    differences,
    read_content,
    summary,
    table_differences,
    total_bytes,
)
from lanpi.pi.backup.document import Content, FileEntry, RestoreState, Snapshot
from lanpi.pi.backup.exchange import NEW_DATABASE, OLD_DATABASE, exchange, give_back, keep_place
from lanpi.pi.backup.moved import SERVER
from lanpi.pi.backup.places import opened
from lanpi.pi.backup.restic import Restic
from lanpi.pi.files import make_folder, sync_folder, write_whole

FOLDER = Path("/var/lib/lanpi/restore")
NEW = FOLDER / "new"
STATE = FOLDER / "state.json"
PREVIOUS = Path("/var/lib/lanpi/previous")
START_SECONDS = 180.0
UNFINISHED = ("settings", "swapping", "swapped")


def state() -> RestoreState | None:
    """How far a restore got: snapshot, place of the previous data, phase; None where none is under way."""
    known: RestoreState | None = read_json(STATE)
    return known


def reached() -> RestoreState:
    """How far the restore got that is under way.

    Raises:
        Problem: none is.
    """
    known = state()
    if known is None:
        raise Problem("no restore is under way", "Run `lanpi restore` again from the start")
    return known


def note(**values: Any) -> None:
    """Record how far the restore got."""
    write_whole(STATE, json.dumps((state() or {}) | values, indent=1))


def fetch(reporter: Reporter, location: str, key: str, environment: str, name: str) -> None:
    """Copy a snapshot next to the current data and compare all of it with its content."""
    reporter.step(f"Looking for the snapshot at {location}")
    with opened(location) as repository:
        restic = Restic(repository, location, key, environment)
        snapshot = choose(restic.snapshots(), name)
        known = state()
        content = read_content(json.loads(restic.run("dump", "--no-lock", snapshot["id"], f"/{NAME}")))
        if known and known["snapshot"] != snapshot["id"] and known["phase"] in UNFINISHED:
            raise Problem(
                f"the restore of snapshot {known['snapshot'][:8]} was interrupted and is not finished",
                f"Finish it first: run the same command with --snapshot {known['snapshot'][:8]}",
                "blocked",
            )
        if not known or known["snapshot"] != snapshot["id"]:
            if shutil.which("psql") and postgres.exists(OLD_DATABASE):
                raise Problem(
                    "the database from before the last restore is still kept, and only one can be kept",
                    "Remove it with lanpi restore --discard-previous",
                    "blocked",
                )
            empty(NEW)
            note(snapshot=snapshot["id"], phase="fetching", previous=time.strftime("%Y%m%d-%H%M%S", time.gmtime()))
        if reached()["phase"] == "fetching":
            require_space(FOLDER, total_bytes(content), "the snapshot")
            reporter.step(f"Restoring snapshot {snapshot['short_id']} next to the current data")
            restic.restore(snapshot["id"], NEW, reporter.progress)
            reporter.step("Comparing every table and file")
            wrong = differences(content, NEW)
            for entry in content["databases"]:
                if entry["kind"] == "postgresql" and shutil.which("psql"):
                    wrong += postgres.load(entry, NEW, NEW_DATABASE)
            if wrong:
                raise Problem(f"the snapshot cannot be restored: {'; '.join(wrong[:5])}", "Choose another --snapshot")
            note(phase="fetched")
    reporter.say("result", id=snapshot["short_id"], phase=reached()["phase"], **summary(content))


def choose(found: list[Snapshot], name: str) -> Snapshot:
    """The snapshot that the user chose, among those that lanpi made."""
    ours = [entry for entry in found if any(tag.startswith(TAG) for tag in entry.get("tags") or [])]
    domains = {tag.removeprefix(TAG) for entry in ours for tag in (entry.get("tags") or []) if tag.startswith(TAG)}
    chosen = [entry for entry in ours if matches(entry, name)]
    if not chosen:
        raise Problem(
            f"there is no snapshot {name} in this repository",
            "Without --snapshot, lanpi takes the newest one",
            "bad-input",
        )
    if len(domains) > 1 and name == "latest":
        raise Problem(
            f"the repository has snapshots of several servers: {', '.join(sorted(domains))}",
            "Choose one with --snapshot ID",
            "bad-input",
        )
    return newest(chosen)


def _content() -> Content:
    content: Content | None = read_json(NEW / NAME)
    if content is None:
        raise Problem("no snapshot has been fetched to restore", "Run `lanpi restore` again from the start")
    return content


def _previous() -> Path:
    return PREVIOUS / reached()["previous"]


def _items(content: Content, place: str) -> set[str]:
    return {item["name"] for item in content["items"] if item.get("place", "data") == place}


def settings(reporter: Reporter) -> None:
    """Put configuration, secrets and authority in place; the previous ones are copied to PREVIOUS first."""
    content = _content()
    if reached()["phase"] not in ("fetched", "settings"):
        return
    note(phase="settings")
    names = _items(content, "settings")
    for path, entry in content["files"].items():
        if entry["item"] in names:
            _place_setting(Path(path), Path(f"{NEW}/files{path}"), entry)
    reporter.say("result", domain=content["domain"])


def _place_setting(path: Path, new: Path, entry: FileEntry) -> None:
    if path.is_file() and path.read_bytes() == new.read_bytes():
        return  # as it was, or placed before an interruption
    kept = Path(f"{_previous()}/files{path}")
    if path.is_file() and not kept.exists():
        keep_place(kept)
        partly = kept.with_name(f".{kept.name}.partly")
        shutil.copy2(path, partly)
        shutil.chown(partly, path.stat().st_uid, path.stat().st_gid)
        partly.replace(kept)
    make_folder(path.parent)
    partly = path.with_name(f".{path.name}.lanpi")
    shutil.copyfile(new, partly)
    # Settings are root's; a group that this Pi does not have yet is given by the install that follows.
    partly.chmod(entry["mode"])
    with partly.open("rb") as file:
        os.fsync(file.fileno())
    partly.replace(path)
    sync_folder(path.parent)


def swap(reporter: Reporter) -> None:
    """Exchange the data; go back automatically when the server does not start with them."""
    content = _content()
    if reached()["phase"] == "swapped":
        reporter.say("result", previous=str(_previous()), **summary(content))
        return
    note(phase="swapping")
    try:
        reporter.step("Exchanging the data")
        command(["systemctl", "stop", SERVER], seconds=180)
        exchange(content, NEW, _previous())
        _take_back_note()
        reporter.step("Starting the server with the restored data")
        _start(content)
        _load_mnesia(content)
    except Exception as error:
        back(reporter)
        if isinstance(error, Problem):
            raise Problem(f"{error.what}; the previous data are back in place", error.next_step) from error
        raise
    note(phase="swapped")
    reporter.say("result", previous=str(_previous()), **summary(content))


def _take_back_note() -> None:
    """A server is here again; the note that the last one has moved is kept until the restore is proven."""
    if known := moved.read():
        note(moved=asdict(known))
        moved.forget()


def _start(content: Content) -> None:
    """Start ejabberd and wait until it serves the people who are in the snapshot."""
    command(["systemctl", "reset-failed", SERVER])
    command(["systemctl", "start", SERVER], seconds=300)
    deadline = time.monotonic() + START_SECONDS
    expected = summary(content)["people"]
    while True:
        asked = subprocess.run(
            ["/usr/lib/lanpi/im-call", "registered_users", json.dumps({"host": content["domain"]})],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0:
            # The Pi may have started its own checks by now.
            found = len(set(json.loads(asked.stdout)) - set(NOBODYS))
            if found == expected:
                return
            raise Problem(f"the server serves {found} people, but the snapshot has {expected}")
        if time.monotonic() > deadline:
            raise Problem("the server did not start with the restored data", "See why: lanpi logs ejabberd")
        time.sleep(0.5)


def _load_mnesia(content: Content) -> None:
    """ejabberd's restore says "done" whatever it did (a wrong node name too): what counts is the result."""
    mnesia = content["mnesia"]
    if mnesia is None:
        return
    rows = {name: count for name, count in mnesia["tables"].items() if count}
    if not rows:
        return
    handed = Path("/var/lib/ejabberd/lanpi-restore.backup")
    shutil.copyfile(NEW / mnesia["file"], handed)
    shutil.chown(handed, "ejabberd", "ejabberd")
    try:
        command(["/usr/lib/lanpi/im-call", "restore", "-"], stdin=json.dumps({"file": str(handed)}))
    finally:
        handed.unlink()
    listed = json.loads(command(["/usr/lib/lanpi/im-call", "mnesia_list_tables"]))
    wrong = table_differences(rows, {row["name"]: row["elements"] for row in listed})
    if wrong:
        raise Problem(f"Mnesia was not restored: {'; '.join(wrong)}")


def back(reporter: Reporter) -> None:
    """Put the previous data and settings back."""
    content, previous = _content(), _previous()
    reporter.step("Putting the previous data back")
    command(["systemctl", "stop", SERVER], seconds=180)
    give_back(content, NEW, previous)
    names = _items(content, "settings")
    for path, entry in content["files"].items():
        kept = Path(f"{previous}/files{path}")
        if entry["item"] in names and kept.exists():
            kept.replace(path)
    # The server may have written into the copy: the next restore starts with a fresh one.
    note(phase="fetching")
    if left := _left():
        # What was here before has moved to another Pi, and stays off.
        moved.write(left)
        moved.stop(left.domain)
        return
    command(["systemctl", "reset-failed", SERVER])
    command(["systemctl", "start", SERVER], seconds=300)


def _left() -> moved.Note | None:
    """Where the server went that was here before the restore; None where it did not."""
    known = state()
    return moved.Note(**known["moved"]) if known and "moved" in known else moved.read()


def finish(reporter: Reporter) -> None:
    """The restore is proven: remove its work folder; the previous data stay."""
    previous, domain = str(_previous()), _content()["domain"]
    has_previous = _previous().exists()
    told = domain if moved.NAME_UNIT.exists() else ""
    if told:
        # It waits for the old Pi to give up the name, which may just have happened.
        command(["systemctl", "restart", moved.NAME_UNIT.name])
    shutil.rmtree(FOLDER)
    reporter.say("result", told=told, previous=previous if has_previous else "")


def discard(reporter: Reporter) -> None:
    """Remove the data from before the restores."""
    known = state()
    if known and known["phase"] in UNFINISHED:
        raise Problem(
            "a restore is not finished, and may still need the previous data", "Finish the restore first", "blocked"
        )
    there = sorted(path.name for path in PREVIOUS.iterdir()) if PREVIOUS.is_dir() else []
    if PREVIOUS.exists():
        shutil.rmtree(PREVIOUS)
    if shutil.which("psql") and postgres.exists(OLD_DATABASE):
        postgres.drop(OLD_DATABASE)
    reporter.say("result", discarded=there)
