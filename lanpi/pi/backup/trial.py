"""Try a place before backups depend on it: reach it, write, read back, list."""

import contextlib
import os
import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lanpi.pi.backup import ssh, status
from lanpi.pi.backup.catalogue import TAG, tag
from lanpi.pi.backup.common import KEY, MANIFEST, RUN, Problem, Reporter, now, read_json
from lanpi.pi.backup.document import Manifest
from lanpi.pi.backup.places import is_local, named, opened, require_writable
from lanpi.pi.backup.restic import Restic
from lanpi.pi.files import make_folder

TRIAL = "lanpi-trial"
"""Tag of the snapshot that a trial makes and removes; no backup of anybody's has it."""
CONNECT_SECONDS = 10.0
_HTTP = re.compile(
    r"(?:rest|s3):(?P<scheme>https?)://(?:[^/@]*@)?(?P<host>\[[^\]]+\]|[^:/]+)(?::(?P<port>\d+))?(?:/.*)?"
)
_PORTS = {"http": 80, "https": 443}


def attempt(reporter: Reporter, location: str, *, reach_only: bool) -> None:
    """Try a place; nothing that is there already changes.

    Args:
        reporter: is told the result.
        location: as in backup.repositories.
        reach_only: write nothing, as for a check.

    Result: complete (False where this Pi has neither restic nor a key yet, and the place was only reached), new (a
    repository was made), snapshots (of this Pi that are there already).

    Raises:
        Problem: what does not work, and what to do about it.
    """
    reporter.step(f"Trying {location}")
    if location.startswith("sftp:"):
        ssh.require_open(location)
    elif match := _HTTP.fullmatch(location):
        _require_port(location, match["host"].strip("[]"), int(match["port"] or _PORTS[match["scheme"]]))
    with opened(location) as repository:
        require_writable(repository, location)
        if reach_only or not (KEY.exists() and shutil.which("restic")):
            if is_local(repository) and not reach_only:
                _require_space_for_a_file(Path(repository), location)
            reporter.say("result", complete=False, new=False, snapshots=0)
            return
        restic = Restic(repository, location)
        new = not restic.exists()
        if new:
            if is_local(repository):
                make_folder(Path(repository).parent)
            restic.run("init")
        _write_and_read(restic, location)
        found = _ours(restic)
    status.update_repository(location, made=now(), last_error="")
    reporter.say("result", complete=True, new=new, snapshots=found)


def recall(reporter: Reporter) -> None:
    """Learn from the repositories what an uninstall made this Pi forget: that they exist, and the last backup.

    Result: snapshots (how many were found). A place that cannot be looked at is named in a note.
    """
    declared: Manifest | None = read_json(MANIFEST)
    total, last = 0, status.read()["last_success"]
    for location in declared["repositories"] if declared else []:
        own = tag(declared) if declared else TAG
        if status.read()["repositories"].get(location, {}).get("made"):
            continue
        try:
            with opened(location) as repository:
                if is_local(repository) and not Path(repository, "config").exists():
                    continue
                found = Restic(repository, location).snapshots("--tag", own)
        except Problem as problem:
            reporter.say("note", text=named(location, problem.what))
            continue
        made = max((f"{entry['time'][:19]}+00:00" for entry in found), default="")
        status.update_repository(location, made=now(), **({"last_success": made} if made else {}))
        total, last = total + len(found), max(last, made)
    if total:
        status.update(last_success=last)
    reporter.say("result", snapshots=total)


def _write_and_read(restic: Restic, location: str) -> None:
    text = secrets.token_hex(1024)
    with _folder() as folder:
        (folder / "trial").write_text(text)
        made = restic.past_dead_locks(lambda: restic.backup(folder, socket.gethostname(), TRIAL))
    read = restic.run("dump", "--no-lock", made["snapshot_id"], "/trial")
    listed = [entry["id"] for entry in restic.snapshots("--tag", TRIAL)]
    # Its data go with the next prune.
    restic.past_dead_locks(lambda: restic.run("forget", made["snapshot_id"]))
    if read != text or made["snapshot_id"] not in listed:
        raise Problem(
            f"what was written to {location} did not come back as it was", "Is its disk healthy? Choose another place"
        )


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    make_folder(RUN)
    with tempfile.TemporaryDirectory(dir=RUN) as folder:
        yield Path(folder)


def _ours(restic: Restic) -> int:
    declared: Manifest | None = read_json(MANIFEST)
    own = tag(declared) if declared else TAG
    return sum(own in (entry.get("tags") or []) for entry in restic.snapshots())


def _require_port(location: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        why = error.strerror or str(error)
        raise Problem(
            f"{location} does not answer: {host}, port {port}: {why}", "Is it switched on, and is its address right?"
        ) from error


def _require_space_for_a_file(repository: Path, location: str) -> None:
    """Write a file where the repository will be, as near as folders exist; a full or broken disk says so now."""
    there = next(folder for folder in (repository, *repository.parents) if folder.is_dir())
    path = there / f".{TRIAL}.{os.getpid()}"
    try:
        path.write_text(TRIAL)
        path.unlink()
    except OSError as error:
        path.unlink(missing_ok=True)
        raise Problem(f"{location} cannot be written to: {error.strerror}", "Is its disk healthy?") from error
