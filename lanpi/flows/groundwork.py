"""What an install and the flows around it share: look, decide, bring about, write down - without a server's start."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from lanpi import __version__
from lanpi.config.model import Config
from lanpi.deploy.clock import set_clock
from lanpi.deploy.compare import PlayReporter
from lanpi.deploy.converge import RunOptions, converge
from lanpi.deploy.desired import Desired, declared_packages, desired_state, without_start
from lanpi.deploy.domain import chosen_domain
from lanpi.deploy.python import install_python
from lanpi.deploy.runner import Event
from lanpi.deploy.session import Session
from lanpi.deploy.state import InstalledRecord, write_installed
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.flows.changes import require_same_database, require_usable_certificate
from lanpi.flows.moved import require_here
from lanpi.flows.places import EVERY_NEW_PLACE, Trying, recall, try_new
from lanpi.health.preflight import PACKAGES, Finding, findings
from lanpi.hosts.base import Host
from lanpi.im.versions import has_feature
from lanpi.ship.bundle import PythonMissing
from lanpi.tuning.decide import plan_limits

SERVER_UNIT = "ejabberd.service"


class Reporter(PlayReporter, Protocol):
    """How an install reports what it does; the CLI renders it."""

    def found(self, finding: Finding) -> None:
        """A preflight finding."""
        ...


@dataclass(frozen=True)
class Intent:
    """What a Pi is and what it is to be.

    Attributes:
        facts: of the Pi.
        config: in effect, with its domain.
        domain: what comes after the @.
        desired: packages, files and units.
    """

    facts: Facts
    config: Config
    domain: str
    desired: Desired

    @property
    def unfinished(self) -> bool:
        """Whether no install has come to its end there yet."""
        return self.facts.installed is None or not self.facts.installed.finished


Configure = Callable[[str | None, Facts], Config]
"""Makes the configuration from the text of the Pi's own lanpi.yml (None if there is none), and from its facts."""


def look(
    session: Session,
    configure: Configure,
    options: RunOptions,
    report: Reporter,
    *,
    forced: bool = False,
    moved_back: bool = False,
    trial: Trying = EVERY_NEW_PLACE,
) -> Intent:
    """Read the Pi, decide what it is to be, and make sure that it can; installs Python where it is too small for that.

    Args:
        session: the Pi.
        configure: its configuration.
        options: of the run.
        report: is told what is found.
        forced: continue where preflight only objects to the system itself.
        moved_back: continue where the server has moved to another Pi.
        trial: how new backup places are tried.

    Raises:
        LanpiError: REFUSED without root, BAD_INPUT for a domain or feature that cannot be, BLOCKED by preflight or
            by a move to another Pi, and what the trial of a new backup place raises.
    """
    report.begin("Looking at the Pi")
    session.require_root()
    packages = (*declared_packages(), *PACKAGES)
    try:
        facts = session.persist(lambda: read_facts(session, root=True, packages=packages), report)
    except PythonMissing:
        if options.check:
            raise
        report.end("its Python is too small to read the Pi")
        install_python(session, None, report, check=False, lock_seconds=options.lock_seconds)
        report.begin("Looking at the Pi")
        facts = session.persist(lambda: read_facts(session, root=True, packages=packages), report)
    if not moved_back:
        require_here(session, facts)
    config = configure(facts.config_text, facts)
    domain = chosen_domain(facts, config, session)
    _require_features(facts, config, session)
    require_same_database(facts, config, session)
    require_usable_certificate(config, domain, session)
    config = config.model_copy(update={"domain": domain})
    desired = desired_state(facts, config, plan_limits(facts, config), domain)
    intent = Intent(facts, config, domain, desired)
    if intent.unfinished or set(desired.packages) - set(facts.packages.installed):
        # Only now: asking the mirror takes a while, and a second install does not need it.
        facts = session.persist(lambda: read_facts(session, root=True, check_mirror=True, packages=packages), report)
        intent = Intent(facts, config, domain, desired)
    report.end(f"{facts.hardware.model}, {facts.os.pretty_name}")
    _preflight(session, intent, report, forced=forced)
    try_new(session, facts, config, report, trial)
    return intent


def bring_about(
    session: Session, intent: Intent, options: RunOptions, report: Reporter, *, without_server: bool = False
) -> tuple[Event, ...]:
    """Make the Pi what it is to be; the lease is held.

    Args:
        session: the Pi.
        intent: from :func:`look`.
        options: of the playbook run.
        report: is told what happens.
        without_server: the messaging server is not started: its data come next.

    Raises:
        LanpiError: as ``converge``.
    """
    set_clock(session, intent.facts, report)
    if intent.unfinished:
        write_installed(session, InstalledRecord(__version__, False, _now(), intent.domain, {}, ""))
    desired = without_start(intent.desired, SERVER_UNIT) if without_server else intent.desired
    events = converge(session, intent.facts, intent.config, desired, options, report)
    if intent.facts.installed is None:
        recall(session, report)
    return events


def write_down(session: Session, intent: Intent) -> None:
    """Note on the Pi that the install has come to its end, and with which versions."""
    facts = read_facts(session, root=True, packages=intent.desired.packages)
    record = InstalledRecord(__version__, True, _now(), intent.domain, dict(facts.packages.installed), _now())
    write_installed(session, record)


def install_without_server(
    session: Session, configure: Callable[[str | None], Config], options: RunOptions, report: Reporter
) -> None:
    """An install up to its server, which is not started: a restore or a move brings its data next, and proves them.

    Also on a Pi whose server has moved out: it gets one again.

    Raises:
        LanpiError: as :func:`look` and :func:`bring_about`; BLOCKED when another lanpi is at work.
    """
    intent = look(session, lambda text, _: configure(text), options, report, moved_back=True)
    with session.lease(report):
        events = bring_about(session, intent, options, report, without_server=True)
        if intent.unfinished or any(event.changed for event in events):
            write_down(session, intent)


def _require_features(facts: Facts, config: Config, host: Host) -> None:
    """Refuse, before anything is changed, what the ejabberd of this Debian release and channel cannot do."""
    if config.im.registration == "invite" and not has_feature("invites", facts.os.codename, config.im.channel):
        raise LanpiError(
            f"the ejabberd of {facts.os.codename} ({config.im.channel}) does not support invitations",
            host=host.name,
            next_step="Set im.registration: closed and use `lanpi user add NAME`, or set im.channel: backports on "
            "trixie",
            exit_code=ExitCode.BAD_INPUT,
        )


def _preflight(host: Host, intent: Intent, report: Reporter, *, forced: bool) -> None:
    found = findings(intent.facts, intent.config, now_epoch_seconds=time.time(), forced=forced)
    for finding in found:
        report.found(finding)
    blockers = [finding for finding in found if finding.level == "blocker"]
    if blockers:
        text = "; ".join(finding.text for finding in blockers)
        raise LanpiError(
            f"lanpi cannot be installed on this Pi yet: {text}",
            host=host.name,
            next_step=blockers[0].fix,
            exit_code=ExitCode.BLOCKED,
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
