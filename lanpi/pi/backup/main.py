"""Backups of this Pi, as /usr/lib/lanpi/backup: `lanpi backup` and `lanpi restore` run it, and so do lanpi's timers.

Usage: backup VERB [ARGUMENT …]; prints one JSON document a line. Root only.
"""

import argparse
import os
import sys
import traceback

from lanpi.pi.backup import verbs
from lanpi.pi.backup.common import Problem, Reporter

STATUSES = {"failed": 1, "bad-input": 2, "refused": 4, "blocked": 5, "missing": 6}
VERBS: dict[str, verbs.Verb] = {
    "run": verbs.run,
    "care": verbs.care,
    "follow": verbs.follow,
    "list": verbs.list_snapshots,
    "show": verbs.show,
    "verify": verbs.verify,
    "prune": verbs.prune,
    "unlock": verbs.unlock,
    "drill": verbs.drill,
    "give-snapshot": verbs.give_snapshot,
    "served": verbs.served,
    "rehearse": verbs.rehearse,
    "rehearse-relay": verbs.rehearse_relay,
    "export": verbs.export,
    "export-done": verbs.export_done,
    "forget-repository": verbs.forget_repository,
    "place-access": verbs.place_access,
    "place-pin": verbs.place_pin,
    "place-try": verbs.place_try,
    "recall": verbs.recall,
    "key": verbs.key,
    "key-saved": verbs.key_saved,
    "status": verbs.show_status,
    "give": verbs.give,
    "give-stop": verbs.give_stop,
    "give-start": verbs.give_start,
    "given": verbs.given,
    "give-end": verbs.give_end,
    "take": verbs.take,
    "taken": verbs.taken,
    "restore-fetch": verbs.restore_fetch,
    "restore-part": verbs.restore_part,
    "restore-settings": verbs.restore_settings,
    "restore-swap": verbs.restore_swap,
    "restore-back": verbs.restore_back,
    "restore-finish": verbs.restore_finish,
    "restore-discard": verbs.restore_discard,
}


def parser() -> argparse.ArgumentParser:
    """The command line; ``do`` of its result is the verb's function."""
    arguments = argparse.ArgumentParser()
    choices = arguments.add_subparsers(dest="verb", required=True)
    parsers = {name: choices.add_parser(name) for name in VERBS}
    for name, do in VERBS.items():
        parsers[name].set_defaults(do=do)
    parsers["verify"].add_argument("--subset", default="")
    parsers["drill"].add_argument("--server", default="must", choices=("must", "may", "no"))
    parsers["show"].add_argument("snapshot")
    for name in ("forget-repository", "served", "place-access", "place-try"):
        parsers[name].add_argument("location")
    parsers["place-try"].add_argument("--reach-only", action="store_true")
    parsers["place-pin"].add_argument("host_key")
    parsers["give-snapshot"].add_argument("--from", default="", dest="location")
    parsers["give"].add_argument("--final", action="store_true")
    parsers["give-stop"].add_argument("--to", default="")
    parsers["take"].add_argument("content")
    for name in ("restore-fetch", "restore-part"):
        for option in ("--from", "--key", "--environment", "--snapshot"):
            parsers[name].add_argument(option, required=True, dest=option[2:].replace("from", "location"))
    part = parsers["restore-part"].add_mutually_exclusive_group(required=True)
    part.add_argument("--account")
    part.add_argument("--room")
    return arguments


def main() -> int:
    """Run the verb that the command line names; the exit status."""
    options = parser().parse_args()
    if os.geteuid() != 0 and options.verb != "rehearse-relay":
        raise SystemExit("backup: only root may run this")
    os.umask(0o077)
    reporter = Reporter(sys.stdout)
    try:
        kind: str | None = options.do(reporter, options)
        return STATUSES[kind] if kind else 0
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
