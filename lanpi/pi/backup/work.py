"""What the timers and the commands do: run, prune, verify, unlock."""

import contextlib
import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lanpi.pi.alerts.send import send
from lanpi.pi.alerts.settings import Settings, read_secrets, read_settings
from lanpi.pi.backup import postgres, stage, status
from lanpi.pi.backup.catalogue import tag
from lanpi.pi.backup.common import KEY, MANIFEST, RUN, STAGE, Heard, Problem, Reporter, command, now, read_json
from lanpi.pi.backup.content import summary
from lanpi.pi.backup.document import Content, Manifest, Saved
from lanpi.pi.backup.places import is_local, named, opened, require_writable
from lanpi.pi.backup.restic import NO_REPOSITORY, Restic, ResticError
from lanpi.pi.files import make_folder

PACK = re.compile(r"[Pp]ack (?:ID )?([0-9a-f]{64})")


def manifest() -> Manifest:
    """What the install declared."""
    found: Manifest | None = read_json(MANIFEST)
    if found is None:
        raise Problem("backups are not set up on this Pi", "Run `lanpi install`", "bad-input")
    return found


@contextlib.contextmanager
def alone(reporter: Reporter) -> Iterator[None]:
    """One task at a time; the others wait. The kernel frees the lock of a process that died."""
    make_folder(RUN)
    with (RUN / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reporter.step("Waiting for another backup task to finish")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(reporter: Reporter) -> None:
    """Back up to every repository; one that fails does not stop the others."""
    declared = manifest()
    if not declared["repositories"]:
        raise Problem("there is no repository to back up to", "Set one: --set backup.repositories=[…]", "bad-input")
    began = time.monotonic()
    _note_clock(reporter)
    stage.forget_handed()
    status.forget_repositories(declared["repositories"])
    failures: list[str] = []
    results: list[Saved] = []
    with _hooks(declared, reporter, failures):
        try:
            content = stage.stage(declared, reporter, STAGE)
            for location in declared["repositories"]:
                reporter.step(f"Saving to {location}")
                try:
                    results.append(_save(declared, location, content, reporter.progress))
                except Problem as problem:
                    failures.append(named(location, problem.what))
                    status.update_repository(location, last_error=problem.what, last_error_at=now())
                    reporter.say("note", text=failures[-1], next_step=problem.next_step)
            if results:
                stage.remember(content)
                status.update(last_success=now())
        finally:
            stage.clear(STAGE)
    if failures:
        raise Problem("; ".join(failures), "Fix the problem, then run `lanpi backup now`")
    status.update(last_error="")
    reporter.say("result", repositories=results, seconds=round(time.monotonic() - began, 1), **summary(content))


def _note_clock(reporter: Reporter) -> None:
    """A Pi has no clock of its own: without the network's it may believe that it is last week."""
    last = status.read()["last_success"]
    if last > now():
        reporter.say("note", text=f"the clock says {now()}, but the last backup was made at {last}")


def _save(declared: Manifest, location: str, content: Content, heard: Heard) -> Saved:
    known = status.read()["repositories"].get(location, {})
    with opened(location) as repository:
        require_writable(repository, location)
        restic = Restic(repository, location)
        if not known.get("made"):
            _make_repository(restic, repository, location)
        try:
            # Each call of restic costs a second or more of key derivation: so there is only this one.
            done = restic.past_dead_locks(lambda: restic.backup(STAGE, content["hostname"], tag(declared), heard))
        except ResticError as error:
            if error.status != NO_REPOSITORY:
                raise
            # A disk that is not mounted looks like an empty folder: filling the card instead would help nobody.
            raise Problem(
                f"the repository at {location} no longer exists",
                f"Is its disk mounted? To start a new one there: lanpi backup forget-repository {location}",
            ) from error
    status.update_repository(
        location,
        last_success=now(),
        last_error="",
        snapshot=done["snapshot_id"],
        added_bytes=done["data_added"],
    )
    return {"location": location, "snapshot": done["snapshot_id"][:8], "added_bytes": done["data_added"]}


def _make_repository(restic: Restic, repository: str, location: str) -> None:
    if not restic.exists():
        if is_local(repository):
            make_folder(Path(repository).parent)
        restic.run("init")
    status.update_repository(location, made=now())


def forget_repository(reporter: Reporter, location: str) -> None:
    """Allow a new repository where one was."""
    status.update_repository(location, made="")
    reporter.say("result", location=location)


def _forget(restic: Restic, declared: Manifest) -> None:
    """Forget snapshots by the retention; prune removes the data that nothing refers to any more."""
    keep = [f"--keep-{name}={count}" for name, count in declared["keep"].items() if count]
    restic.run("forget", "--tag", tag(declared), "--group-by", "tags", *keep)


def forget_leftovers() -> None:
    """Remove the databases that an interrupted task left."""
    if any(item["kind"] == "postgresql" for item in manifest()["items"]):
        postgres.drop_leftovers()


def prune(reporter: Reporter) -> None:
    """Remove the data that no snapshot refers to."""

    def each(restic: Restic, location: str) -> None:
        reporter.step(f"Pruning {location}")
        restic.past_dead_locks(lambda: _forget(restic, manifest()))
        restic.past_dead_locks(lambda: restic.run("prune"))

    _everywhere(reporter, each)


def unlock(reporter: Reporter) -> None:
    """Remove stale locks."""

    def each(restic: Restic, location: str) -> None:
        reporter.step(f"Looking for stale locks at {location}")
        count = restic.unlock()
        reporter.say("note", text=f"{location}: {count or 'no'} stale locks removed")

    _everywhere(reporter, each)


def verify(reporter: Reporter, subset: str) -> None:
    """Check each repository, and read all of its data, or a share such as "5%".

    Where data are damaged, the failure names the affected snapshots.
    """

    def each(restic: Restic, location: str) -> None:
        reporter.step(f"Reading {location}")
        share = f"--read-data-subset={subset}" if subset else "--read-data"
        try:
            restic.past_dead_locks(lambda: restic.run("check", share))
        except Problem as problem:
            hit = _snapshots_hit(restic, getattr(problem, "said", ""))
            text = f"damaged; affected snapshots: {', '.join(hit)}" if hit else problem.what
            raise Problem(text, "Restore what you still can; create a new repository on another disk") from problem
        status.update_repository(location, last_verified=now())

    _everywhere(reporter, each)
    status.update(last_verified=now())


def _snapshots_hit(restic: Restic, said: str) -> list[str]:
    packs = sorted(set(PACK.findall(said)))
    if not packs:
        return []
    try:
        found = json.loads(restic.run("find", "--json", "--pack", *packs))
    except (Problem, ValueError):
        # With damage in the tree of files itself, nobody can tell: then all that may be affected.
        return [snapshot["short_id"] for snapshot in restic.snapshots()]
    return sorted({entry["snapshot"][:8] for entry in found if "snapshot" in entry})


def _everywhere(reporter: Reporter, each: Callable[[Restic, str], None]) -> None:
    """Do something for every repository, and fail at the end with everything that failed."""
    failures = []
    for location in manifest()["repositories"]:
        try:
            with opened(location) as repository:
                each(Restic(repository, location), location)
        except Problem as problem:
            failures.append(named(location, problem.what))
            status.update_repository(location, last_error=problem.what, last_error_at=now())
    if failures:
        raise Problem("; ".join(failures), "`lanpi status` shows the failure until it works again")
    reporter.say("result", repositories=manifest()["repositories"])


def versions_differ(content: Content) -> bool:
    """Whether a different ejabberd than this Pi's wrote the snapshot."""
    return content["versions"].get("ejabberd") != stage.versions("").get("ejabberd")


@contextlib.contextmanager
def _hooks(declared: Manifest, reporter: Reporter, failures: list[str]) -> Iterator[None]:
    """Run the hooks around the block; the hook after it always runs, and learns the outcome from LANPI_BACKUP.

    One that fails before means no backup (what it should have stopped may still write); one that fails after is
    one failure more, and never hides the first.
    """
    _hook(declared["hook_before"], reporter, "before")
    try:
        yield
    except BaseException:
        with contextlib.suppress(Problem):  # report what failed first
            _hook(declared["hook_after"], reporter, "failed")
        raise
    try:
        _hook(declared["hook_after"], reporter, "failed" if failures else "done")
    except Problem as problem:
        failures.append(problem.what)


def _hook(path: str | None, reporter: Reporter, how: str) -> None:
    if path:
        reporter.step(f"Running {path}")
        try:
            command([path], environment={**os.environ, "LANPI_BACKUP": how})
        except OSError as error:
            raise Problem(f"the hook {path} cannot run: {error.strerror}", f"chmod +x {path}") from error


def tell_admin(what: str) -> None:
    """Tell the administrator in every way that is set up; if even that fails, the backup's own failure is reported."""
    declared = manifest()
    if not declared["notify"]:
        return
    settings = read_settings() or Settings(declared["domain"], declared["admin"])
    failed = send(settings, read_secrets(), "Backup", f"The backup failed: {what}")
    for way, why in failed.items():
        # To the journal: whoever follows has the backup's own failure already.
        sys.stderr.write(f"the administrator could not be told by {way}: {why}\n")


def key() -> str:
    """The repositories' key; it is printed on recovery sheets only."""
    try:
        return KEY.read_text().strip()
    except FileNotFoundError as error:
        raise Problem("backups are not set up on this Pi", "Run `lanpi install`", "bad-input") from error
