"""What each verb of the program does: a function each, with the options that main.py parses.

Modules that few verbs need are imported when the verb runs, so that the nightly run does not wait for all of them.
"""

import argparse
from collections.abc import Callable

from lanpi.pi.backup import catalogue, status, work
from lanpi.pi.backup.common import Reporter, now
from lanpi.pi.backup.places import on_card

Verb = Callable[[Reporter, argparse.Namespace], str | None]
"""Returns the kind of a failure that was told already, else nothing."""


def run(_reporter: Reporter, _options: argparse.Namespace) -> str:
    from lanpi.pi.backup import unit

    return unit.run()


def care(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import unit

    unit.care(reporter)


def follow(_reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import unit

    unit.follow()


def list_snapshots(reporter: Reporter, _options: argparse.Namespace) -> None:
    catalogue.snapshots(reporter, work.manifest())


def show(reporter: Reporter, options: argparse.Namespace) -> None:
    catalogue.show(reporter, work.manifest(), options.snapshot)


def verify(reporter: Reporter, options: argparse.Namespace) -> None:
    with work.alone(reporter):
        work.verify(reporter, options.subset)


def prune(reporter: Reporter, _options: argparse.Namespace) -> None:
    with work.alone(reporter):
        work.prune(reporter)


def unlock(reporter: Reporter, _options: argparse.Namespace) -> None:
    with work.alone(reporter):
        work.unlock(reporter)


def drill(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import drill as module

    with work.alone(reporter):
        module.drill(reporter, options.server)


def give_snapshot(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import drill as module

    with work.alone(reporter):
        module.hand_over(reporter, options.location)


def served(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import drill as module

    module.served(reporter, options.location)


def rehearse(reporter: Reporter, _options: argparse.Namespace) -> None:
    """Inside the drill's own unit: the second server."""
    from lanpi.pi.backup import rehearsal

    declared = work.manifest()
    kinds = {item["kind"] for item in declared["items"]}
    rehearsal.rehearse(reporter, declared["domain"], postgresql="postgresql" in kinds)


def rehearse_relay(_reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import rehearsal

    rehearsal.relay()


def export(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import leave

    with work.alone(reporter):
        leave.export(reporter)


def export_done(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import leave

    with work.alone(reporter):
        leave.export_done(reporter)


def forget_repository(reporter: Reporter, options: argparse.Namespace) -> None:
    work.forget_repository(reporter, options.location)


def place_access(reporter: Reporter, options: argparse.Namespace) -> None:
    """How an sftp: place answers this Pi, with what its owner needs to let the Pi in."""
    from lanpi.pi.backup import ssh

    machine = ssh.understand(options.location)
    public = ssh.public_key()
    answer = ssh.ask(machine)
    line = ssh.host_key(machine) if answer.state == "unknown" else ""
    reporter.say(
        "result",
        state=answer.state,
        why=answer.why,
        login=machine.login,
        public_key=public,
        host_key=line,
        fingerprint=ssh.fingerprint(line) if line else "",
    )


def place_pin(reporter: Reporter, options: argparse.Namespace) -> None:
    """Trust a host key that a person has compared."""
    from lanpi.pi.backup import ssh

    ssh.pin(options.host_key)
    reporter.say("result")


def place_try(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import trial

    with work.alone(reporter):
        trial.attempt(reporter, options.location, reach_only=options.reach_only)


def recall(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import trial

    trial.recall(reporter)


def key(reporter: Reporter, _options: argparse.Namespace) -> None:
    """Everything that a recovery sheet needs; ``outlive``: the places that are not lost with the Pi's card."""
    declared = work.manifest()
    places = declared["repositories"]
    outlive = [place for place in places if not on_card(place)]
    reporter.say("result", key=work.key(), domain=declared["domain"], repositories=places, outlive=outlive)


def key_saved(reporter: Reporter, _options: argparse.Namespace) -> None:
    """Record that the key is saved elsewhere."""
    status.update(key_saved=True, key_saved_at=now())
    reporter.say("result")


def show_status(reporter: Reporter, _options: argparse.Namespace) -> None:
    reporter.say("result", **status.read())


def give(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    with work.alone(reporter):
        handover.give(reporter, final=options.final)


def give_stop(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    handover.stop(reporter, options.to)


def give_start(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    handover.start(reporter)


def given(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    handover.given(reporter)


def give_end(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    handover.end(reporter)


def take(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    handover.expect(reporter, options.content)


def taken(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import handover

    handover.arrived(reporter)


def restore_fetch(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import restore

    restore.fetch(reporter, options.location, options.key, options.environment, options.snapshot)


def restore_part(reporter: Reporter, options: argparse.Namespace) -> None:
    from lanpi.pi.backup import partial

    with work.alone(reporter):
        partial.bring(reporter, options)


def restore_settings(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import restore

    restore.settings(reporter)


def restore_swap(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import restore

    restore.swap(reporter)


def restore_back(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import restore

    restore.back(reporter)


def restore_finish(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import restore

    restore.finish(reporter)


def restore_discard(reporter: Reporter, _options: argparse.Namespace) -> None:
    from lanpi.pi.backup import restore

    restore.discard(reporter)
