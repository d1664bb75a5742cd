"""`lanpi install`: read, decide, apply, prove - in that order, and again from the start after any failure."""

from collections.abc import Callable
from dataclasses import dataclass

from lanpi.config.model import Config
from lanpi.deploy.check import check_now
from lanpi.deploy.converge import RunOptions, changes, converge
from lanpi.deploy.domain import default_domain, is_open
from lanpi.deploy.proof import Proof, proven
from lanpi.deploy.runner import Event
from lanpi.deploy.session import Session
from lanpi.facts.model import Facts
from lanpi.flows.groundwork import Intent, Reporter, bring_about, look, write_down
from lanpi.flows.moved import bring_back
from lanpi.flows.places import Trying
from lanpi.im.admin import Server, generate_password
from lanpi.im.people import manage
from lanpi.im.versions import has_feature
from lanpi.pi.im.groups import EVERYONE
from lanpi.progress import Progress


@dataclass(frozen=True)
class Options(RunOptions):
    """What the user asked of this run.

    Attributes:
        force: continue where preflight only objects to the system itself, and bring a server back that has moved away.
        reboot: reboot when a change needs it.
        bring_back: continue where the server has moved to another Pi.
        tried: new backup places that were tried already.
    """

    force: bool = False
    reboot: bool = False
    bring_back: bool = False
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The result of an install.

    Attributes:
        domain: what comes after the @.
        admin: the administrator's address.
        password: of the administrator when the account was made in this run, else None.
        changed: paths and "verb unit" entries that changed, in order.
        proof: the message exchange; None in check mode.
        reboot_needed: a change takes effect only after a reboot.
        events: of the playbook run.
    """

    domain: str
    admin: str
    password: str | None
    changed: tuple[str, ...]
    proof: Proof | None
    reboot_needed: bool
    events: tuple[Event, ...]


def install(
    session: Session,
    configure: Callable[[str | None], Config],
    options: Options,
    report: Reporter,
    choose_domain: Callable[[str], str | None] = lambda _: None,
) -> Outcome:
    """Bring a Pi to lanpi's state and prove that messages are delivered.

    Args:
        session: the Pi.
        configure: makes the configuration from the text of the Pi's own lanpi.yml (None where there is none).
        options: of this run.
        report: is told what happens.
        choose_domain: asked once where no domain is chosen yet, with a proposal; None takes that.

    Raises:
        LanpiError: REFUSED without root, BLOCKED by preflight or another lanpi, FAILED when a step or
            the proof failed, UNREACHABLE when the Pi stays away.
    """

    def configured(text: str | None, facts: Facts) -> Config:
        config = configure(text)
        if facts.installed is None or not facts.installed.finished:
            config = with_invitations(facts, config, report)
        if not is_open(facts, config):
            return config
        chosen = choose_domain(default_domain(facts))
        return config.model_copy(update={"domain": chosen}) if chosen else config

    trial = Trying(options.tried, reach_only=options.check)
    intent = look(
        session, configured, options, report, forced=options.force, moved_back=options.bring_back, trial=trial
    )
    admin = f"{intent.config.admin}@{intent.domain}"
    if options.check:
        events = converge(session, intent.facts, intent.config, intent.desired, options, report)
        return Outcome(intent.domain, admin, None, changes(events), None, False, events)
    with session.lease(report):
        bring_back(session, intent.facts)
        events = bring_about(session, intent, options, report)
        server = Server(session, intent.domain)
        password = _admin_account(server, intent.config, report)
        proof = proven(session, server, report)
        if password and intent.config.im.registration == "invite":
            _first_group(session, intent, report)
        if intent.unfinished or changes(events):
            write_down(session, intent)
        if changes(events):
            check_now(session, report)
        reboot_needed = _needs_reboot(intent)
        if reboot_needed and options.reboot:
            session.reboot(report)
            reboot_needed = False
            if not session.is_this_machine:
                proof = proven(session, server, report)
    return Outcome(intent.domain, admin, password, changes(events), proof, reboot_needed, events)


def with_invitations(facts: Facts, config: Config, report: Progress) -> Config:
    """The configuration of a new installation: people register with an invitation, where that is possible.

    An installation that exists keeps what it has: there, no key means closed.
    """
    if "registration" in config.im.model_fields_set:
        return config
    if not has_feature("invites", facts.os.codename, config.im.channel):
        report.note(
            f"the ejabberd of {facts.os.codename} ({config.im.channel}) does not support invitations: "
            "create accounts with `lanpi user add NAME`"
        )
        return config
    # Written down in the Pi's lanpi.yml, so that the next run finds it.
    return config.model_copy(update={"im": config.im.model_copy(update={"registration": "invite"})})


def _first_group(session: Session, intent: Intent, report: Progress) -> None:
    """The group of whoever is invited without another; the administrator is in it, so that nobody starts alone."""
    manage(session, intent.domain, "add_group", group=EVERYONE, title="")
    manage(session, intent.domain, "join", group=EVERYONE, names=[intent.config.admin])
    report.note(f"created the group {EVERYONE}: whoever you invite finds the others there")


def _needs_reboot(intent: Intent) -> bool:
    boot = intent.facts.boot
    return not boot.memory_cgroup and bool(boot.cmdline_path) and intent.config.memory.cgroup


def _admin_account(server: Server, config: Config, report: Progress) -> str | None:
    if config.admin in server.accounts():
        return None
    password = generate_password()
    server.add(config.admin, password)
    report.note(f"created the account {config.admin}@{server.domain}")
    return password
