"""Restore one account or one room of a snapshot into the running server."""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

from lanpi.pi.backup import merge_postgres, merge_sqlite, work
from lanpi.pi.backup.common import FOLDER, Problem, Reporter, empty, require_space
from lanpi.pi.backup.content import NAME, read_content, sha256
from lanpi.pi.backup.document import Content, Database, FileEntry
from lanpi.pi.backup.merge import Part
from lanpi.pi.backup.places import opened
from lanpi.pi.backup.restic import Restic
from lanpi.pi.backup.restore import choose

PART = FOLDER / "part"
UPLOADS = "/var/lib/ejabberd/upload"
ENGINES = {"sqlite": merge_sqlite, "postgresql": merge_postgres}
CALLED = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def bring(reporter: Reporter, options: argparse.Namespace) -> None:
    """Merge the named account or room; result: rows added per table, files added."""
    declared, domain = work.manifest(), work.manifest()["domain"]
    name, _, host = (options.account or options.room).partition("@")
    ours = host == domain if options.account else host.endswith(f".{domain}")
    if not name or not ours:
        raise Problem(
            f"{options.account or options.room} does not belong to {domain}",
            "Write the full address: NAME@…",
            "bad-input",
        )
    part = Part(name, host, domain, room=bool(options.room))
    live = next(item for item in declared["items"] if item["kind"] in ENGINES)
    try:
        uploads = "" if part.room else f"{UPLOADS}/{upload_folder(options.account)}"
        entry, files = _fetch(reporter, options, uploads, live["kind"])
        added = ENGINES[live["kind"]].bring(reporter, live, entry, PART, part)
        placed = sum(_place(Path(path), PART / f"files{path}", known) for path, known in files.items())
    finally:
        shutil.rmtree(PART, ignore_errors=True)
    reporter.say("result", added=added, files=placed, rows=sum(added.values()))


def upload_folder(jid: str) -> str:
    """Name of the folder with an account's files (mod_http_upload, jid_in_url: sha1)."""
    return hashlib.sha1(jid.encode(), usedforsecurity=False).hexdigest()


def its_database(content: Content, kind: str) -> Database:
    """The snapshot's entry for its database, which must be of the same kind as the one in use."""
    entry = next(entry for entry in content["databases"] if entry["kind"] in ENGINES)
    if entry["kind"] != kind:
        raise Problem(
            f"the snapshot's database is {CALLED[entry['kind']]}, but this Pi uses {CALLED[kind]}",
            "Restore the whole snapshot onto another Pi (a virtual one will do)",
            "bad-input",
        )
    return entry


def _fetch(
    reporter: Reporter, options: argparse.Namespace, uploads: str, kind: str
) -> tuple[Database, dict[str, FileEntry]]:
    reporter.step(f"Looking for the snapshot at {options.location}")
    with opened(options.location) as repository:
        restic = Restic(repository, options.location, options.key, options.environment)
        snapshot = choose(restic.snapshots(), options.snapshot)
        content = read_content(json.loads(restic.run("dump", "--no-lock", snapshot["id"], f"/{NAME}")))
        entry = its_database(content, kind)
        files = {path: known for path, known in content["files"].items() if uploads and path.startswith(f"{uploads}/")}
        needed = entry["bytes"] + ENGINES[kind].space(entry) + sum(known["bytes"] for known in files.values())
        require_space(FOLDER, needed, "the snapshot's part")
        empty(PART)
        reporter.step(f"Fetching the needed part of snapshot {snapshot['short_id']}")
        wanted = [f"--include=/{entry['file']}"] + ([f"--include=/files{uploads}"] if files else [])
        restic.run("restore", "--no-lock", snapshot["id"], "--target", str(PART), *wanted)
    if sha256(PART / entry["file"]) != entry["sha256"]:
        raise Problem("the snapshot's database differs from what was backed up", "Choose another --snapshot")
    return entry, files


def _place(path: Path, copy: Path, known: FileEntry) -> int:
    if path.exists() or not copy.is_file() or sha256(copy) != known["sha256"]:
        return 0
    for folder in reversed(path.relative_to(UPLOADS).parents[:-1]):
        place = Path(UPLOADS) / folder
        if not place.exists():
            place.mkdir(mode=0o750)
            shutil.chown(place, known["owner"], known["group"])
    partly = path.with_name(f".{path.name}.partly")
    shutil.copyfile(copy, partly)
    partly.chmod(known["mode"])
    shutil.chown(partly, known["owner"], known["group"])
    partly.replace(path)
    return 1
