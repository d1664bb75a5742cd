"""Backups of this Pi, as /usr/lib/lanpi/backup: `lanpi backup` and `lanpi restore` run it, and so do lanpi's timers.

Usage: backup VERB [ARGUMENT …]; prints one JSON document a line. Root only.
"""

import argparse
import importlib
import os
import subprocess
import sys
import time
import traceback

from lanpi.pi.backup import catalogue, status, work
from lanpi.pi.backup.common import RUN, Problem, Reporter, command, now

PROGRESS = RUN / "progress"
UNIT = "lanpi-backup.service"
START_SECONDS = 60.0
STATUSES = {"failed": 1, "bad-input": 2, "refused": 4, "blocked": 5, "missing": 6}


def late(name):
    """A module that few verbs need, so that the nightly run does not wait for all of them to load."""
    return importlib.import_module(f"lanpi.pi.backup.{name}")


def run_unit(_reporter, _options):
    """What lanpi-backup.service does: the run, recorded for followers and for `lanpi status`."""
    reporter = Reporter(sys.stdout, PROGRESS)
    with work.alone(reporter):
        try:
            work.run(reporter)
        except Problem as problem:
            status.failed(problem.what)
            reporter.say("error", what=problem.what, next_step=problem.next_step, kind=problem.kind)
            work.tell_admin(problem.what)
            return STATUSES[problem.kind]
        except Exception as error:
            status.failed(f"internal error: {error}")
            reporter.say(
                "error",
                what=f"internal error: {error!r}",
                next_step=f"See journalctl -u {UNIT} for details",
                kind="failed",
            )
            raise
        reporter.say("end")
    return 0


def care(reporter, _options):
    """What lanpi-backup-care.service does each week: clean up, prune, read a share of the data, prove a restore."""
    steps = (
        work.forget_leftovers,
        lambda: work.prune(reporter),
        lambda: work.verify(reporter, "5%"),
        lambda: late("drill").drill(reporter, server="may"),
    )
    failures = {}  # a place that is away for weeks must not stop the others from being read and proven
    with work.alone(reporter):
        for step in steps:
            try:
                step()
            except Problem as problem:
                failures[problem.what] = problem
        if failures:
            what = "; ".join(failures)
            status.failed(what)
            work.tell_admin(what)
            last = [*failures.values()][-1]
            raise Problem(what, last.next_step, last.kind)


def running():
    """Whether a run is in progress; a failed run that waits for its next try does not count."""
    said = command(["systemctl", "show", "-p", "ActiveState", "-p", "SubState", UNIT])
    state = dict(line.split("=", 1) for line in said.split())
    return state["ActiveState"] not in ("inactive", "failed") and not state["SubState"].startswith("auto-restart")


def follow(reporter, _options):
    """Start the unit (or join the run in progress) and pass on its events."""
    before = None
    if not running():
        before = PROGRESS.stat().st_ino if PROGRESS.exists() else None
        command(["systemctl", "stop", UNIT])  # no longer waits for its next try: this run is the next try
        subprocess.run(["systemctl", "reset-failed", UNIT], check=False, capture_output=True)
        command(["systemctl", "start", "--no-block", UNIT])
    deadline = time.monotonic() + START_SECONDS
    while not PROGRESS.exists() or PROGRESS.stat().st_ino == before:
        if time.monotonic() > deadline:
            raise Problem(f"{UNIT} did not start", f"See why: journalctl -u {UNIT}")
        time.sleep(0.1)
    with PROGRESS.open() as file:
        while True:
            line = file.readline()
            if line.endswith("\n"):
                print(line, end="", flush=True)
                if '"event": "end"' in line:
                    return 0
                if '"event": "error"' in line:
                    return None  # reported already; the exit status follows from it
            elif not running():
                rest = file.read()
                print(rest, end="", flush=True)
                if '"event": "end"' not in rest and '"event": "error"' not in rest:
                    raise Problem("the backup stopped before it finished", f"See why: journalctl -u {UNIT}")
                return 0
            else:
                time.sleep(0.2)


def key(reporter, _options):
    """Everything that a recovery sheet needs."""
    declared = work.manifest()
    reporter.say("result", key=work.key(), domain=declared["domain"], repositories=declared["repositories"])


def key_saved(reporter, _options):
    """Record that the key is saved elsewhere."""
    status.update(key_saved=True, key_saved_at=now())
    reporter.say("result")


def rehearse(reporter, _options):
    """Inside the drill's own unit: the second server."""
    declared = work.manifest()
    kinds = {item["kind"] for item in declared["items"]}
    late("rehearsal").rehearse(reporter, declared["domain"], postgresql="postgresql" in kinds)


def parser():
    arguments = argparse.ArgumentParser()
    verbs = arguments.add_subparsers(dest="verb", required=True)
    for name, do in VERBS.items():
        verbs.add_parser(name).set_defaults(do=do)
    verbs.choices["verify"].add_argument("--subset", default="")
    verbs.choices["drill"].add_argument("--server", default="must", choices=("must", "may", "no"))
    verbs.choices["show"].add_argument("snapshot")
    verbs.choices["forget-repository"].add_argument("location")
    verbs.choices["give-snapshot"].add_argument("--from", default="", dest="location")
    verbs.choices["served"].add_argument("location")
    verbs.choices["give"].add_argument("--final", action="store_true")
    verbs.choices["take"].add_argument("content")
    for verb in ("restore-fetch", "restore-part"):
        for name in ("--from", "--key", "--environment", "--snapshot"):
            verbs.choices[verb].add_argument(name, required=True, dest=name[2:].replace("from", "location"))
    part = verbs.choices["restore-part"].add_mutually_exclusive_group(required=True)
    part.add_argument("--account")
    part.add_argument("--room")
    return arguments


VERBS = {
    "run": run_unit,
    "care": care,
    "follow": follow,
    "list": lambda reporter, _: catalogue.snapshots(reporter, work.manifest()),
    "show": lambda reporter, options: catalogue.show(reporter, work.manifest(), options.snapshot),
    "verify": lambda reporter, options: alone(reporter, lambda: work.verify(reporter, options.subset)),
    "prune": lambda reporter, _: alone(reporter, lambda: work.prune(reporter)),
    "unlock": lambda reporter, _: alone(reporter, lambda: work.unlock(reporter)),
    "drill": lambda reporter, options: alone(reporter, lambda: late("drill").drill(reporter, options.server)),
    "give-snapshot": lambda reporter, options: alone(
        reporter, lambda: late("drill").hand_over(reporter, options.location)
    ),
    "served": lambda reporter, options: late("drill").served(reporter, options.location),
    "rehearse": rehearse,
    "rehearse-relay": lambda reporter, _: late("rehearsal").relay(),
    "export": lambda reporter, _: alone(reporter, lambda: late("leave").export(reporter)),
    "export-done": lambda reporter, _: alone(reporter, lambda: late("leave").export_done(reporter)),
    "forget-repository": lambda reporter, options: work.forget_repository(reporter, options.location),
    "key": key,
    "key-saved": key_saved,
    "status": lambda reporter, _: reporter.say("result", **status.read()),
    "give": lambda reporter, options: alone(reporter, lambda: late("handover").give(reporter, final=options.final)),
    "give-stop": lambda reporter, _: late("handover").stop(reporter),
    "give-start": lambda reporter, _: late("handover").start(reporter),
    "given": lambda reporter, _: late("handover").given(reporter),
    "give-end": lambda reporter, _: late("handover").end(reporter),
    "take": lambda reporter, options: late("handover").expect(reporter, options.content),
    "taken": lambda reporter, _: late("handover").arrived(reporter),
    "restore-fetch": lambda reporter, options: late("restore").fetch(
        reporter, options.location, options.key, options.environment, options.snapshot
    ),
    "restore-part": lambda reporter, options: alone(reporter, lambda: late("partial").bring(reporter, options)),
    "restore-settings": lambda reporter, _: late("restore").settings(reporter),
    "restore-swap": lambda reporter, _: late("restore").swap(reporter),
    "restore-back": lambda reporter, _: late("restore").back(reporter),
    "restore-finish": lambda reporter, _: late("restore").finish(reporter),
    "restore-discard": lambda reporter, _: late("restore").discard(reporter),
}


def alone(reporter, do):
    with work.alone(reporter):
        do()


def main():
    options = parser().parse_args()
    if os.geteuid() != 0 and options.verb != "rehearse-relay":
        raise SystemExit("backup: only root may run this")
    os.umask(0o077)
    reporter = Reporter(sys.stdout)
    try:
        return options.do(reporter, options) or 0
    except Problem as problem:
        reporter.say("error", what=problem.what, next_step=problem.next_step, kind=problem.kind)
        return STATUSES[problem.kind]
    except Exception as error:
        reporter.say(
            "error",
            what=f"internal error: {error!r}",
            next_step="Run the same command again with --debug, and report what it prints",
            kind="failed",
            traceback=traceback.format_exc(),
        )
        return STATUSES["failed"]
