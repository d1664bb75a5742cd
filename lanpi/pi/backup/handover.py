"""A running server moves to another Pi, streamed through the operator's machine: one side gives, the other takes.

The giver stages a consistent copy, as for a backup; the taker says which files it lacks. So the second round,
with the giver's server stopped, carries only what changed since the first.
"""

import json
import time
from pathlib import Path

from lanpi.pi.backup import moved, restore, stage, status, work
from lanpi.pi.backup.common import HANDED, Problem, Reporter, empty, now, read_json, require_space
from lanpi.pi.backup.content import NAME, check_sqlite, read_content, sha256, summary, total_bytes
from lanpi.pi.backup.document import FileEntry
from lanpi.pi.files import write_whole

MNESIA = "mnesia/ejabberd.backup"


def give(reporter: Reporter, *, final: bool) -> None:
    """Stage a copy and leave it to be fetched.

    final: the server has been stopped, so Mnesia's own backup is the first round's.
    """
    declared = work.manifest()
    before = (read_json(HANDED / NAME) or {}).get("mnesia") if final else None
    kept = (HANDED / MNESIA).read_bytes() if before else None
    if final:
        declared = declared | {"items": [item for item in declared["items"] if item["kind"] != "mnesia"]}
    content = stage.stage(declared, reporter, HANDED)
    if kept is not None:
        (HANDED / MNESIA).parent.mkdir(mode=0o700)
        (HANDED / MNESIA).write_bytes(kept)
        content["mnesia"] = before
        write_whole(HANDED / NAME, json.dumps(content, sort_keys=True))
    stage.remember(content)
    reporter.say("result", folder=str(HANDED), content=str(HANDED / NAME), **summary(content))


def stop(reporter: Reporter, to: str) -> None:
    """Stop the server for good, even after a reboot, so that nothing more is written; the new Pi takes its name."""
    reporter.step("Stopping the old server")
    moved.leave(work.manifest()["domain"], to)
    reporter.say("result")


def start(reporter: Reporter) -> None:
    """Put everything back as it was: the move failed."""
    reporter.step("Starting the old server again")
    moved.come_back(work.manifest()["domain"])
    reporter.say("result")


def given(reporter: Reporter) -> None:
    """The data are proven on the new Pi; the originals stay."""
    status.update(moved_at=now())
    reporter.say("result")


def end(reporter: Reporter) -> None:
    """Remove the copy: nobody will fetch it any more."""
    stage.clear(HANDED)
    reporter.say("result")


def expect(reporter: Reporter, path: str) -> None:
    """Read what is coming (a content file), and answer which of its files must be sent: [name, bytes]."""
    content = read_content(read_json(Path(path)))
    known, new = restore.state(), restore.NEW
    name = f"move-{content['domain']}"
    if known and known["snapshot"] != name and known["phase"] in restore.UNFINISHED:
        raise Problem(
            "a restore on the new Pi was interrupted and is not finished",
            "Finish it first, with the same command",
            "blocked",
        )
    if known and known["snapshot"] == name and known["phase"] in ("swapping", "swapped"):
        # The move stopped before it was proven, and people have used the old server since: the old server's data count.
        restore.back(reporter)
    if not known or known["snapshot"] != name:
        empty(new)
        restore.note(snapshot=name, phase="fetching", previous=time.strftime("%Y%m%d-%H%M%S", time.gmtime()))
    there = (read_json(new / NAME) or {"files": {}})["files"]
    wanted = [
        (f"files{file}", entry["bytes"])
        for file, entry in content["files"].items()
        if not _has(new / f"files{file}", entry, there.get(file))
    ]
    wanted += [(entry["file"], entry["bytes"]) for entry in (*content["databases"], content["mnesia"]) if entry]
    # Space for what comes, beside the existing data; nothing is replaced until the new data are proven.
    require_space(restore.FOLDER, min(total_bytes(content), sum(size for _, size in wanted)), "the move")
    # Also files from an earlier, interrupted round: their owner may have removed them since.
    for left in [left for left in (new / "files").rglob("*") if left.is_file() or left.is_symlink()]:
        if f"/{left.relative_to(new / 'files')}" not in content["files"]:
            left.unlink()
    for file, _ in wanted:
        target = new / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
    for folder in content["folders"]:
        (new / f"files{folder}").mkdir(parents=True, exist_ok=True)
    write_whole(new / f"{NAME}.coming", json.dumps({"content": content, "wanted": [file for file, _ in wanted]}))
    reporter.say("result", wanted=wanted, to_come=sum(size for _, size in wanted))


def _has(path: Path, entry: FileEntry, known: FileEntry | None) -> bool:
    """Whether a file is there already, from the last round or from an interrupted one."""
    if not path.is_file():
        return False
    if known and known["sha256"] == entry["sha256"]:
        return True
    return path.stat().st_size == entry["bytes"] and sha256(path) == entry["sha256"]


def arrived(reporter: Reporter) -> None:
    """Compare everything that was sent with its hash; files not sent again were compared when they came."""
    new = restore.NEW
    coming = read_json(new / f"{NAME}.coming")
    content, wanted = coming["content"], set(coming["wanted"])
    expected = {f"files{file}": entry for file, entry in content["files"].items()}
    expected |= {entry["file"]: entry for entry in (*content["databases"], content["mnesia"]) if entry}
    wrong = [
        file
        for file, entry in expected.items()
        if file in wanted and (not (new / file).is_file() or sha256(new / file) != entry["sha256"])
    ]
    if wrong:
        raise Problem(
            f"{len(wrong)} files did not arrive as they were sent: {', '.join(wrong[:3])}", "Run the command again"
        )
    for entry in content["databases"]:
        if entry["kind"] == "sqlite":
            check_sqlite(new / entry["file"])
    write_whole(new / NAME, json.dumps(content, sort_keys=True))
    (new / f"{NAME}.coming").unlink()
    if restore.reached()["phase"] == "fetching":
        restore.note(phase="fetched")
    reporter.say("result", domain=content["domain"])
