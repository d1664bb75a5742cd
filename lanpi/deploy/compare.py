"""The plan of an install as a step that is told, and the work that is done where nothing differs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol

from lanpi.deploy.desired import Desired
from lanpi.deploy.plan import Plan, plan
from lanpi.deploy.reading import read_state
from lanpi.deploy.runner import Event
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.progress import Progress

TASK = "Compare"
"""Of the event that carries the plan: ``result["plan"]`` has its entries, ``result["summary"]`` a line about them."""


class PlayReporter(Progress, Protocol):
    """How a comparison and a playbook run tell what they do."""

    def event(self, event: Event) -> None:
        """The event that carries the plan, or one of the playbook run."""
        ...


def compare(host: Host, desired: Desired, report: PlayReporter, *, cmdline_change: bool) -> tuple[Plan, Event]:
    """Read the state of the Pi and plan from it.

    Read while the lease is held: whatever lanpi changes is not changed by another one in between.

    Args:
        host: the Pi.
        desired: what it should be.
        report: is told.
        cmdline_change: whether the kernel's command line must change.

    Raises:
        LanpiError: as ``read_state``.
    """
    report.begin("Comparing it with what it should be")
    decided = plan(desired, read_state(host, desired), cmdline_change=cmdline_change)
    event = Event(
        "done", TASK, result={"plan": [asdict(entry) for entry in decided.entries], "summary": decided.summary()}
    )
    report.end(decided.summary())
    report.event(event)
    return decided, event


def run_routine(host: Host, units: Sequence[str]) -> None:
    """Let the units do their work that do it at every install.

    Raises:
        LanpiError: FAILED when one of them fails, and what ``Host.run`` raises.
    """
    if not units:
        return
    done = host.run(["systemctl", "start", "--", *units], root=True, check=False)
    if done.exit_status != 0:
        raise LanpiError(
            f"{', '.join(units)} did not run: {done.error_text.strip()}",
            host=host.name,
            next_step="`lanpi logs` shows why",
            exit_code=ExitCode.FAILED,
        )
