"""The drill: the newest snapshot, restored into a temporary folder, compared, served by a second server, compared."""

import json
import shutil
import subprocess
from pathlib import Path

from lanpi.pi.backup import postgres, status
from lanpi.pi.backup.catalogue import newest, tag
from lanpi.pi.backup.common import FOLDER, HANDED, MEGABYTE, Problem, Reporter, empty, megabytes, now, require_space
from lanpi.pi.backup.content import NAME, differences, read_content, sqlite_differences, summary, total_bytes
from lanpi.pi.backup.document import Content, Manifest, Snapshot
from lanpi.pi.backup.exchange import fold_log
from lanpi.pi.backup.places import named, opened
from lanpi.pi.backup.restic import Restic
from lanpi.pi.backup.work import manifest, versions_differ

DRILL = FOLDER / "drill"
SPOOL = DRILL / "spool"
DATABASE = postgres.DRILL_DATABASE
UNIT = "lanpi-drill.service"
CONFIGURATION = Path("/etc/lanpi/drill.yml")
MEMORY = Path("/proc/meminfo")
# A second ejabberd took 114 MB on a virtual Pi with its certificates, all modules and a small database loaded.
SERVER_BYTES = 192 * MEGABYTE
SERVER_SECONDS = 600
# A network of its own with only a loopback in it: no port of the live server, no message to anybody's phone.
# Its /var/lib/ejabberd is the drill's folder: it cannot even see the live one.
APART = (
    *("systemd-run", "--quiet", "--pipe", "--wait", "--collect", f"--unit={UNIT}", "--slice=lanpi-upkeep.slice"),
    *("-p", "PrivateNetwork=yes", "-p", "PrivateTmp=yes", "-p", "ProtectSystem=strict", "-p", "ProtectHome=yes"),
    *("-p", f"BindPaths={SPOOL}:/var/lib/ejabberd", "-p", "ReadWritePaths=/var/lib/ejabberd"),
    *("-p", f"MemoryMax={SERVER_BYTES}", "-p", f"RuntimeMaxSec={SERVER_SECONDS}"),
    *("-p", "Nice=19", "-p", "CPUSchedulingPolicy=idle", "-p", "IOSchedulingClass=idle", "-p", "OOMScoreAdjust=900"),
    *("/usr/lib/lanpi/backup", "rehearse"),
)


def drill(reporter: Reporter, server: str = "must") -> None:
    """Prove the newest snapshot of every repository.

    server: "must" refuses where there is no memory for a second server, "may" then only compares, "no" never starts it.
    """
    declared = manifest()
    with_server = server != "no" and _has_memory(reporter, required=server == "must")
    failures = []
    for location in declared["repositories"]:
        try:
            rows, size = _one(reporter, declared, location, with_server)
        except Problem as problem:
            failures.append(problem)
            reporter.say("note", text=named(location, problem.what), next_step=problem.next_step)
            continue
        status.update_repository(location, last_drill=now(), drill_server=with_server)
        reporter.say("note", text=f"{location}: {rows}, {size} MB match the backup")
    if failures:
        kinds = {problem.kind for problem in failures}
        kind = kinds.pop() if len(kinds) == 1 else "failed"
        raise Problem("; ".join(problem.what for problem in failures), failures[-1].next_step, kind)
    status.update(last_drill=now(), last_verified=now(), drill_server=with_server)
    reporter.say("result", repositories=declared["repositories"], server=with_server)


def _has_memory(reporter: Reporter, *, required: bool) -> bool:
    fields = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1024
    if available >= SERVER_BYTES:
        return True
    text = f"a second server needs {megabytes(SERVER_BYTES)} MB of memory; only {megabytes(available)} MB are available"
    if required:
        raise Problem(
            text,
            "To compare without a second server, run lanpi backup drill --compare-only. "
            "To start it on your computer instead, run lanpi backup drill --on virtual",
            "blocked",
        )
    reporter.say("note", text=f"{text}, so the drill only compares")
    return False


def hand_over(reporter: Reporter, location: str) -> None:
    """Restore the newest snapshot for a drill on another machine, compare it, and leave it there to be fetched.

    location: of the repository; "" takes the first.
    """
    declared = manifest()
    if not declared["repositories"]:
        raise Problem("there is no repository", "Set one: --set backup.repositories=[…]", "bad-input")
    location = location or declared["repositories"][0]
    if location not in declared["repositories"]:
        raise Problem(
            f"{location} is not a repository of this Pi",
            f"Use one of {', '.join(declared['repositories'])}",
            "bad-input",
        )
    with opened(location) as repository:
        restic = Restic(repository, location)
        chosen, content = _newest(restic, declared, location)
        require_space(FOLDER, total_bytes(content), "the drill")
        empty(HANDED)
        reporter.step(f"Restoring {chosen['short_id']} from {location}")
        restic.restore(chosen["id"], HANDED, reporter.progress)
    wrong = differences(content, HANDED)
    if wrong:
        empty(HANDED)
        raise _unlike(location, chosen, wrong)
    reporter.say(
        "result",
        folder=str(HANDED),
        content=str(HANDED / NAME),
        location=location,
        snapshot=chosen["short_id"],
        **summary(content),
    )


def served(reporter: Reporter, location: str) -> None:
    """Record that another machine served the newest snapshot."""
    proven = now()
    status.update_repository(location, last_drill=proven, drill_server=True)
    status.update(last_drill=proven, last_verified=proven, drill_server=True)
    reporter.say("result")


def _newest(restic: Restic, declared: Manifest, location: str) -> tuple[Snapshot, Content]:
    found = restic.snapshots("--tag", tag(declared))
    if not found:
        raise Problem(f"there is no snapshot at {location} yet", "Create one: lanpi backup now")
    chosen = newest(found)
    return chosen, read_content(json.loads(restic.run("dump", "--no-lock", chosen["id"], f"/{NAME}")))


def _unlike(location: str, chosen: Snapshot, wrong: list[str]) -> Problem:
    return Problem(
        f"{location}, snapshot {chosen['short_id']}: {'; '.join(wrong[:5])}",
        "Run `lanpi backup now`, then run the drill again",
    )


def _one(reporter: Reporter, declared: Manifest, location: str, with_server: bool) -> tuple[str, int]:
    with opened(location) as repository:
        restic = Restic(repository, location)
        chosen, content = _newest(restic, declared, location)
        require_space(FOLDER, total_bytes(content), "the drill")
        empty(DRILL)
        try:
            reporter.step(f"Restoring {chosen['short_id']} from {location}")
            restic.restore(chosen["id"], DRILL, reporter.progress)
            reporter.step("Comparing every table and file")
            wrong = differences(content, DRILL) + _load(content)
            if with_server and not wrong:
                reporter.step("Starting a second server with the data, isolated from the first")
                wrong = _serve(content)
        finally:
            shutil.rmtree(DRILL)
            if any(entry["kind"] == "postgresql" for entry in content["databases"]):
                postgres.drop(DATABASE)
    if wrong:
        raise _unlike(location, chosen, wrong)
    rows = sum(summary(content)["tables"].values())
    return f"{len(content['files'])} files, {rows} rows", megabytes(total_bytes(content))


def _load(content: Content) -> list[str]:
    wrong = []
    for entry in content["databases"]:
        if entry["kind"] == "postgresql":
            wrong += postgres.load(entry, DRILL, DATABASE)
    return wrong


def _serve(content: Content) -> list[str]:
    """How a server copes with the data, and whether the data are the same after it has run."""
    SPOOL.mkdir()
    for entry in content["databases"]:
        if entry["kind"] == "sqlite":
            (DRILL / entry["file"]).rename(SPOOL / Path(entry["path"]).name)
    shutil.copyfile(CONFIGURATION, SPOOL / "ejabberd.yml")
    for path in (SPOOL, *SPOOL.iterdir()):
        shutil.chown(path, "ejabberd", "ejabberd")
    done = subprocess.run(APART, capture_output=True, text=True, check=False)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    answer = next((event for event in said if event["event"] in ("result", "error")), None)
    if answer is None:
        raise Problem(
            f"the second server stopped early: {(done.stderr.strip().splitlines() or ['it gave no reason'])[-1]}"
        )
    if answer["event"] == "error":
        return [answer["what"]]
    expected = summary(content)["people"]
    if answer["people"] != expected:
        return [f"the second server serves {answer['people']} people instead of {expected}"]
    if versions_differ(content):
        return []  # another release may give tables new columns; they were compared before it ran
    return _after(content)


def _after(content: Content) -> list[str]:
    wrong = []
    for entry in content["databases"]:
        if entry["kind"] == "sqlite":
            path = SPOOL / Path(entry["path"]).name
            fold_log(path)
            wrong += sqlite_differences(entry, path)
        else:
            wrong += postgres.compare(entry, DATABASE)
    return [f"after the second server ran: {text}" for text in wrong]
