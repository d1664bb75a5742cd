"""``lanpi uninstall``: undo what the Pi itself remembers of lanpi."""

from dataclasses import dataclass
from pathlib import Path

from lanpi import paths
from lanpi.config.backup import Backup
from lanpi.config.load import effective, parse
from lanpi.deploy.compare import PlayReporter
from lanpi.deploy.converge import LOCK_WAIT_SECONDS, changes
from lanpi.deploy.desired import desired_state
from lanpi.deploy.domain import default_domain
from lanpi.deploy.runner import Event, run_playbook
from lanpi.deploy.session import Session
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.read import read_facts
from lanpi.hosts.base import Host
from lanpi.im.moved import forget_moved
from lanpi.tuning.decide import plan_limits

STEPS = {
    "Stop the services": "Stopping the services",
    "Remove the packages": "Removing the packages",
    "Take back the kernel's command line": "Restoring the kernel's command line",
    "Remove the files": "Restoring the original files",
    "Remove the data": "Cleaning up",
}
OWN_REPOSITORY = str(Backup().repositories[0])
"""The default repository, on the Pi's own card."""
DATA_PACKAGES = ("ejabberd", "postgresql")
"""Packages whose purge would delete people's data; without --purge they are only removed."""


@dataclass(frozen=True)
class Removed:
    """What an uninstall did: what was removed or restored, and the paths that stay."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]


def backups_on_card(host: Host) -> int | None:
    """Bytes of the backup repository on the Pi's own card, which a purge removes too; None where there is none.

    Raises:
        LanpiError: REFUSED without root.
    """
    done = host.run(["du", "-sb", OWN_REPOSITORY], root=True, check=False)
    return int(done.text.split()[0]) if done.exit_status == 0 else None


def uninstall(session: Session, report: PlayReporter, *, purge: bool, check: bool, log: Path | None) -> Removed:
    """Uninstall lanpi from a Pi.

    Args:
        session: the Pi.
        report: is told what happens.
        purge: remove people's data, certificates and settings too.
        check: only report what would be removed.
        log: file for Ansible's own output.

    Raises:
        LanpiError: BAD_INPUT when lanpi is not installed on the Pi, FAILED when a step failed.
    """
    report.begin("Looking at the Pi")
    session.require_root()
    facts = session.persist(lambda: read_facts(session, root=True), report)
    if facts.installed is None:
        raise LanpiError("lanpi is not installed on this Pi", host=session.name, exit_code=ExitCode.BAD_INPUT)
    text = facts.config_text or ""
    config = effective(parse(text, "/etc/lanpi/lanpi.yml on the Pi"), {}, []).config
    domain = config.domain or facts.installed.domain or default_domain(facts)
    desired = desired_state(facts, config, plan_limits(facts, config), domain)
    report.end()
    variables = desired.variables() | {
        "lanpi_lock_seconds": LOCK_WAIT_SECONDS,
        "lanpi_cmdline_path": facts.boot.cmdline_path,
        "lanpi_keep_data_of": [] if purge else list(DATA_PACKAGES),
        "lanpi_purge": purge,
        "lanpi_config_path": paths.PI_CONFIG,
    }

    def on_event(event: Event) -> None:
        report.event(event)
        if event.kind == "start":
            report.begin(STEPS.get(event.task, event.task))
        elif event.kind in ("done", "skipped"):
            report.end()

    with session.lease(report):
        events = session.persist(
            lambda: run_playbook(session, "uninstall.yml", variables, on_event, check=check, log=log), report
        )
    if purge and not check:
        # Without the old data no second server can come of this Pi.
        forget_moved(session)
    kept = [path for event in events for path in event.result.get("kept", [])]
    return Removed(changes(events), tuple(kept))
