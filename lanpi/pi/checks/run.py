"""The program that lanpi-check.timer starts: one check, one sample; at boot and shutdown it moves the history."""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from lanpi.pi.checks import accounts, exchange, machine, names, ring, store
from lanpi.pi.checks.ring import Sample
from lanpi.pi.im import api as im
from lanpi.pi.read.source import Machine


def check(settings: dict[str, Any], archived: str | None) -> tuple[dict[str, Any], str | None]:
    """One check; see :func:`lanpi.pi.checks.exchange.look`. A server that does not answer is a check that failed."""
    try:
        logins = accounts.logins(settings)
        if archived is None:
            forget(settings["domain"])
        try:
            found, kept = exchange.look(logins, archived)
        except exchange.NotArchived:
            # An older copy was restored, or somebody cleaned up: a new message shows whether the archive works.
            found, kept = exchange.look(logins, None)
        if "not-authorized" in found.get("error", ""):
            accounts.renew(settings["domain"])
            found, kept = exchange.look(accounts.logins(settings), None)
    except (OSError, ValueError) as error:
        return {"checks": 1, "passed": 0, "error": f"ejabberd does not answer: {error}"}, None
    return found, kept


def archived_today(now: float) -> str | None:
    """The text of the message that was put into the archive today; None when there is none yet."""
    try:
        known = json.loads(Path(names.ARCHIVED).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return str(known["body"]) if now - known["epoch"] < 86400 else None


def forget(domain: str) -> None:
    """Empty both archives, before the day's message is put there."""
    for name in names.ACCOUNTS:
        im.call(domain, "remove_mam_for_user", user=name, host=domain)


def one_check() -> Sample:
    """Check, and add the sample to the history."""
    settings = json.loads(Path(names.SETTINGS).read_text("utf-8"))
    now = time.time()
    archived = archived_today(now)
    sample = machine.sample(Machine(), settings["domain"], now, store.last(names.LIVE))
    found, kept = check(settings, archived)
    if kept is None:
        Path(names.ARCHIVED).unlink(missing_ok=True)
    elif kept != archived:
        Path(names.ARCHIVED).write_text(json.dumps({"body": kept, "epoch": now}), "utf-8")
    sample = replace(sample, **found)
    store.append(names.LIVE, sample)
    age = store.saved_seconds_ago(names.KEPT, now)
    if age is None or not 0 <= age < names.SAVE_SECONDS:
        store.save(names.LIVE, names.KEPT, now)
    return sample


def main() -> None:
    """Command line: ``check``; ``load`` at boot, ``save`` at shutdown."""
    parser = argparse.ArgumentParser(prog="check")
    parser.add_argument("what", choices=("check", "load", "save"))
    what = parser.parse_args().what
    with store.alone(names.LOCK):
        match what:
            case "load":
                store.load(names.LIVE, names.KEPT)
            case "save":
                store.save(names.LIVE, names.KEPT, time.time())
            case _:
                json.dump(ring.told(one_check()), sys.stdout)
