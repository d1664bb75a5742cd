"""lanpi-backup.service and lanpi-backup-care.service: what they do, and how a command follows the first."""

import subprocess
import sys
import time

from lanpi.pi.backup import status, work
from lanpi.pi.backup.common import RUN, Problem, Reporter, command

PROGRESS = RUN / "progress"
UNIT = "lanpi-backup.service"
START_SECONDS = 60.0


def run() -> str:
    """The nightly run, recorded for followers and for `lanpi status`; the kind of a Problem, "" when it worked.

    A failure has been told to followers and to the administrator when this returns.
    """
    reporter = Reporter(sys.stdout, PROGRESS)
    with work.alone(reporter):
        try:
            work.run(reporter)
        except Problem as problem:
            status.failed(problem.what)
            reporter.say("error", what=problem.what, next_step=problem.next_step, kind=problem.kind)
            work.tell_admin(problem.what)
            return problem.kind
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
    return ""


def care(reporter: Reporter) -> None:
    """The weekly care: clean up, prune, read a share of the data, prove a restore."""
    from lanpi.pi.backup.drill import drill  # noqa: PLC0415 - the nightly run does not wait for it to load

    steps = (
        work.forget_leftovers,
        lambda: work.prune(reporter),
        lambda: work.verify(reporter, "5%"),
        lambda: drill(reporter, server="may"),
    )
    failures: dict[str, Problem] = {}  # a place that is away for weeks must not stop the others from being proven
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


def running() -> bool:
    """Whether a run is in progress; a failed run that waits for its next try does not count."""
    said = command(["systemctl", "show", "-p", "ActiveState", "-p", "SubState", UNIT])
    state = dict(line.split("=", 1) for line in said.split())
    return state["ActiveState"] not in ("inactive", "failed") and not state["SubState"].startswith("auto-restart")


def follow() -> None:
    """Start the unit (or join the run in progress) and pass on its events, its failure among them.

    Raises:
        Problem: the unit did not start, or stopped early.
    """
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
                _pass_on(line)
                if '"event": "end"' in line:
                    return
                if '"event": "error"' in line:
                    return
            elif not running():
                rest = file.read()
                _pass_on(rest)
                if '"event": "end"' not in rest and '"event": "error"' not in rest:
                    raise Problem("the backup stopped before it finished", f"See why: journalctl -u {UNIT}")
                return
            else:
                time.sleep(0.2)


def _pass_on(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
