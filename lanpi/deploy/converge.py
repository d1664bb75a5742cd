"""The desired state brought about by the playbook, told as steps, and what that changed."""

from dataclasses import dataclass
from pathlib import Path

from lanpi.config.model import Config
from lanpi.deploy.compare import PlayReporter, compare, run_routine
from lanpi.deploy.desired import Desired
from lanpi.deploy.python import install_python
from lanpi.deploy.runner import Event, run_playbook
from lanpi.deploy.session import Session
from lanpi.deploy.trees import TASK as TREES
from lanpi.deploy.trees import move_of, place_trees, remove_trees
from lanpi.facts.model import Facts

LOCK_WAIT_SECONDS = 600.0
"""A fresh image upgrades itself for minutes after its first boot; longer than this is a hang."""

STEPS = {
    TREES: "Placing the web pages",
    "Install the packages": "Installing packages",
    "Enable the memory cgroup": "Switching on memory limits",
    "Place the files": "Writing the configuration",
    "Start the services": "Starting the services",
}
"""Ansible's task names as steps for people."""


@dataclass(frozen=True)
class RunOptions:
    """How a playbook is run.

    Attributes:
        check: show what would change, and change nothing.
        lock_seconds: how long to wait for whoever holds dpkg's lock.
        log: file for Ansible's own output.
        verbosity: Ansible's -v count.
    """

    check: bool = False
    lock_seconds: float = LOCK_WAIT_SECONDS
    log: Path | None = None
    verbosity: int = 0


def converge(
    session: Session, facts: Facts, config: Config, desired: Desired, options: RunOptions, report: PlayReporter
) -> tuple[Event, ...]:
    """Bring the desired state about (or show what would change, with ``options.check``); the lease is held.

    Where nothing differs, nothing runs but what does its work at every install.

    A lost connection is made again, the Pi compared again, and the playbook run with what still differs.

    Raises:
        LanpiError: FAILED with what did not work, UNREACHABLE when the Pi stays away, BLOCKED when another lanpi
            has taken over.
    """
    cmdline_change = config.memory.cgroup and cmdline_must_change(facts)

    def on_event(event: Event) -> None:
        report.event(event)
        if event.kind == "start":
            report.begin(STEPS.get(event.task, event.task))
        elif event.kind in ("done", "skipped"):
            report.end(_detail(event))

    first: tuple[Event, ...] = ()
    if facts.os.missing_modules:
        first = (install_python(session, facts, report, check=options.check, lock_seconds=options.lock_seconds),)
        if options.check:
            report.note("the other changes can be shown once python3 is installed, because lanpi needs it to find them")
            return first

    def attempt() -> tuple[Event, ...]:
        decided, compared = compare(session, desired, report, cmdline_change=cmdline_change)
        if not decided.differing:
            if not options.check:
                run_routine(session, decided.routine)
            return (compared,)
        move = move_of(desired, decided)
        moved = move.event()
        if moved.changed:
            on_event(Event("start", TREES))
            if not options.check:
                place_trees(session, move)
            on_event(moved)
        variables = decided.variables(desired) | {
            "lanpi_lock_seconds": options.lock_seconds,
            "lanpi_cmdline_path": facts.boot.cmdline_path,
            # The line is known from the facts: no round trip to find that it is right.
            "lanpi_cmdline_change": cmdline_change,
        }
        events = run_playbook(
            session,
            "install.yml",
            variables,
            on_event,
            check=options.check,
            verbosity=options.verbosity,
            log=options.log,
        )
        if not options.check:
            remove_trees(session, move)
        return (compared, moved, *events)

    return first + session.persist(attempt, report)


def cmdline_must_change(facts: Facts) -> bool:
    """Whether the firmware's command line keeps the kernel from enforcing memory limits."""
    words = facts.boot.cmdline.split()
    return bool(facts.boot.cmdline_path) and ("cgroup_enable=memory" not in words or "cgroup_disable=memory" in words)


def changes(events: tuple[Event, ...]) -> tuple[str, ...]:
    """What a run changed (or would), as one list: packages, paths, "verb unit"."""
    changed: list[str] = []
    for event in events:
        if event.kind == "done" and event.changed:
            for key in ("added", "removed", "paths", "done"):
                changed += event.result.get(key, [])
            if "words" in event.result:
                changed.append("kernel command line")
    return tuple(changed)


def _detail(event: Event) -> str:
    if not event.changed:
        return "nothing to do"
    counts = {
        "added": "{} packages",
        "paths": "{} files",
        "done": "{} actions",
    }
    for key, text in counts.items():
        if event.result.get(key):
            return text.format(len(event.result[key]))
    return "changed"
