"""`lanpi install`: read, decide, apply, prove - in that order, and again from the start after any failure."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from lanpi import __version__
from lanpi.config.domain import check_domain
from lanpi.config.model import Config
from lanpi.deploy.desired import Desired, declared_packages, desired_state, without_start
from lanpi.deploy.lock import lock
from lanpi.deploy.proof import Proof, prove
from lanpi.deploy.runner import Event, run_playbook
from lanpi.deploy.state import InstalledRecord, write_installed
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.hosts.base import Host
from lanpi.im.admin import Server, generate_password
from lanpi.im.people import manage
from lanpi.im.versions import has_feature
from lanpi.pi.im.groups import EVERYONE
from lanpi.preflight import PACKAGES, Finding, findings
from lanpi.progress import Progress
from lanpi.tuning.decide import plan_limits

CLOCK_TOLERANCE_SECONDS = 60.0
"""Apt and TLS tolerate a minute; beyond that, lanpi sets the Pi's clock from this machine's."""
LOCK_WAIT_SECONDS = 600.0
"""A fresh image upgrades itself for minutes after its first boot; longer than this is a hang."""
REBOOT_SECONDS = 300.0
SERVER_UNIT = "ejabberd.service"


class Reporter(Progress, Protocol):
    """How an install reports what it does; the CLI renders it."""

    def found(self, finding: Finding) -> None:
        """A preflight finding."""
        ...

    def event(self, event: Event) -> None:
        """An event of the playbook run."""
        ...


@dataclass(frozen=True)
class Options:
    """What the user asked of this run.

    Attributes:
        check: show what would change, and change nothing.
        force: continue where preflight only objects to the system itself.
        reboot: reboot when a change needs it.
        lock_seconds: how long to wait for whoever holds dpkg's lock.
        log: file for Ansible's own output.
        verbosity: Ansible's -v count.
        serve: start the messaging server, see to the administrator's account and prove that messages pass. A restore
            does without: its data come next, and are proven then.
    """

    check: bool = False
    force: bool = False
    reboot: bool = False
    lock_seconds: float = LOCK_WAIT_SECONDS
    log: Path | None = None
    verbosity: int = 0
    serve: bool = True


@dataclass(frozen=True)
class Outcome:
    """The result of an install.

    Attributes:
        domain: what comes after the @.
        admin: the administrator's address.
        password: of the administrator when the account was made in this run, else None.
        changed: paths and "verb unit" entries that changed, in order.
        proof: the message exchange; None in check mode and without ``Options.serve``.
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


def default_domain(facts: Facts) -> str:
    """The domain if none is configured: the host name, found by mDNS."""
    return facts.hostname.lower() if "." in facts.hostname else f"{facts.hostname.lower()}.local"


def install(
    host: Host,
    configure: Callable[[str | None], Config],
    options: Options,
    report: Reporter,
) -> Outcome:
    """Bring a Pi to lanpi's state and prove that messages pass.

    Args:
        host: the Pi.
        configure: makes the configuration from the text of the Pi's own lanpi.yml (None where there is none).
        options: of this run.
        report: is told what happens.

    Raises:
        LanpiError: REFUSED without root, BLOCKED by preflight or another lanpi, FAILED when a step or
            the proof failed, UNREACHABLE when the connection was lost.
    """
    report.begin("Looking at the Pi")
    _require_root(host)
    facts = read_facts(host, root=True, packages=(*declared_packages(), *PACKAGES))
    config = configure(facts.config_text)
    domain = _domain(facts, config, host)
    _require_features(facts, config, host)
    fresh = options.serve and (facts.installed is None or not facts.installed.finished)
    if fresh:
        config = with_invitations(facts, config, report)
    config = config.model_copy(update={"domain": domain})
    plan = plan_limits(facts, config)
    desired = desired_state(facts, config, plan, domain)
    if _needs_packages(facts, desired):
        # Only now: asking the mirror takes a while, and a second install does not need it.
        facts = read_facts(host, root=True, check_mirror=True, packages=(*declared_packages(), *PACKAGES))
    report.end(f"{facts.hardware.model}, {facts.os.pretty_name}")
    _preflight(host, facts, config, options, report)
    if options.check:
        events = converge(host, facts, config, desired, options, report)
        changed = changes(events)
        return Outcome(domain, f"{config.admin}@{domain}", None, changed, None, False, events)
    with lock(host, report.note):
        set_clock(host, facts, report)
        if facts.installed is None or not facts.installed.finished:
            write_installed(host, InstalledRecord(__version__, False, _now(), domain, {}, ""))
        events = converge(host, facts, config, desired, options, report)
        changed = changes(events)
        server = Server(host, domain)
        password = _admin_account(server, config, report) if options.serve else None
        proof = proven(host, server, report) if options.serve else None
        if password and config.im.registration == "invite":
            _first_group(host, domain, config, report)
        reboot_needed = not facts.boot.memory_cgroup and bool(facts.boot.cmdline_path) and config.memory.cgroup
        if reboot_needed and options.reboot:
            _reboot(host, report)
            proof = prove(host, server)
            reboot_needed = False
        if changed or facts.installed is None or not facts.installed.finished:
            _record(host, desired, domain)
    return Outcome(domain, f"{config.admin}@{domain}", password, changed, proof, reboot_needed, events)


def with_invitations(facts: Facts, config: Config, report: Progress) -> Config:
    """The configuration of a new installation: people register with an invitation, where that is possible.

    An installation that exists keeps what it has: there, no key means closed.
    """
    if "registration" in config.im.model_fields_set:
        return config
    if not has_feature("invites", facts.os.codename, config.im.channel):
        report.note(
            f"the ejabberd of {facts.os.codename} ({config.im.channel}) does not support invitations: "
            "create accounts with `lanpi user add`"
        )
        return config
    # Written down in the Pi's lanpi.yml, so that the next run finds it.
    return config.model_copy(update={"im": config.im.model_copy(update={"registration": "invite"})})


def _first_group(host: Host, domain: str, config: Config, report: Progress) -> None:
    """The group of whoever is invited without another; the administrator is in it, so that nobody starts alone."""
    manage(host, domain, "add_group", group=EVERYONE, title="")
    manage(host, domain, "join", group=EVERYONE, names=[config.admin])
    report.note(f"created the group {EVERYONE}: whoever you invite finds the others there")


def proven(host: Host, server: Server, report: Progress) -> Proof:
    """The proof as a reported step.

    Raises:
        LanpiError: as ``prove``.
    """
    report.begin("Sending a message between two accounts")
    proof = prove(host, server)
    report.end(f"delivered in {proof.delivery_seconds * 1000:.0f} ms and archived")
    return proof


def _require_root(host: Host) -> None:
    if not host.can_be_root:
        raise LanpiError(
            "an install needs root, and this login may not become root",
            host=host.name,
            next_step="Use a login that may run sudo (on Raspberry Pi OS, the user that you created in Imager)",
            exit_code=ExitCode.REFUSED,
        )


def _domain(facts: Facts, config: Config, host: Host) -> str:
    """The configured domain; it cannot change later, since accounts and archives belong to it."""
    wanted = config.domain or (facts.installed.domain if facts.installed else "") or default_domain(facts)
    try:
        check_domain(wanted)
    except ValueError as error:
        raise LanpiError(
            f"the host name {facts.hostname} cannot be used as a domain: {error}",
            host=host.name,
            next_step="Choose one with --set domain=NAME.local",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    if facts.installed and facts.installed.domain and facts.installed.domain != wanted:
        raise LanpiError(
            f"this Pi serves {facts.installed.domain}, and its addresses cannot be moved to {wanted}",
            host=host.name,
            next_step=f"Set domain: {facts.installed.domain}, or run lanpi uninstall --purge first",
            exit_code=ExitCode.BAD_INPUT,
        )
    return wanted


def _require_features(facts: Facts, config: Config, host: Host) -> None:
    """Refuse, before anything is changed, what the ejabberd of this Debian release and channel cannot do."""
    if config.im.registration == "invite" and not has_feature("invites", facts.os.codename, config.im.channel):
        raise LanpiError(
            f"the ejabberd of {facts.os.codename} ({config.im.channel}) does not support invitations",
            host=host.name,
            next_step="Set im.registration: closed and use `lanpi user add`, or set im.channel: backports on trixie",
            exit_code=ExitCode.BAD_INPUT,
        )


def _needs_packages(facts: Facts, desired: Desired) -> bool:
    return (
        facts.installed is None
        or not facts.installed.finished
        or bool(set(desired.packages) - set(facts.packages.installed))
    )


def _preflight(host: Host, facts: Facts, config: Config, options: Options, report: Reporter) -> None:
    found = findings(facts, config, now_epoch_seconds=time.time(), forced=options.force)
    for finding in found:
        report.found(finding)
    blockers = [finding for finding in found if finding.level == "blocker"]
    if blockers:
        text = "; ".join(finding.text for finding in blockers)
        raise LanpiError(
            f"lanpi cannot be installed on this Pi yet: {text}",
            host=host.name,
            next_step=blockers[0].next_step,
            exit_code=ExitCode.BLOCKED,
        )


def set_clock(host: Host, facts: Facts, report: Reporter) -> None:
    """A Pi has no battery clock: until the network tells it the time, it gets this machine's time."""
    off = facts.clock.epoch_seconds - time.time()
    if facts.clock.synchronised or abs(off) <= CLOCK_TOLERANCE_SECONDS:
        return
    report.begin("Setting the clock")
    host.run(["date", "-u", "-s", f"@{time.time():.0f}"], root=True)
    report.end(f"it was off by {abs(off):.0f} s")


def cmdline_must_change(facts: Facts) -> bool:
    """Whether the firmware's command line keeps the kernel from enforcing memory limits."""
    words = facts.boot.cmdline.split()
    return bool(facts.boot.cmdline_path) and ("cgroup_enable=memory" not in words or "cgroup_disable=memory" in words)


STEPS = {
    "Install the packages": "Installing packages",
    "Enable the memory cgroup": "Switching on memory limits",
    "Place the files": "Writing the configuration",
    "Start the services": "Starting the services",
}
"""Ansible's task names as steps for people."""


def converge(
    host: Host, facts: Facts, config: Config, desired: Desired, options: Options, report: Reporter
) -> tuple[Event, ...]:
    """Apply the desired state (or show what would change, with ``options.check``); the caller holds the lock.

    Raises:
        LanpiError: FAILED with what did not work, UNREACHABLE when the connection was lost.
    """
    if not options.serve:
        desired = without_start(desired, SERVER_UNIT)
    variables = desired.variables() | {
        "lanpi_lock_seconds": options.lock_seconds,
        "lanpi_cmdline_path": facts.boot.cmdline_path,
        # The line is known from the facts, so no round trip is needed to see that it is right.
        "lanpi_cmdline_change": config.memory.cgroup and cmdline_must_change(facts),
    }

    def on_event(event: Event) -> None:
        report.event(event)
        if event.kind == "start":
            report.begin(STEPS.get(event.task, event.task))
        elif event.kind in ("done", "skipped"):
            report.end(_detail(event))

    return run_playbook(
        host,
        "install.yml",
        variables,
        on_event,
        check=options.check,
        verbosity=options.verbosity,
        log=options.log,
    )


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


def _admin_account(server: Server, config: Config, report: Reporter) -> str | None:
    if config.admin in server.accounts():
        return None
    password = generate_password()
    server.add(config.admin, password)
    report.note(f"created the account {config.admin}@{server.domain}")
    return password


def _reboot(host: Host, report: Reporter) -> None:
    report.begin("Rebooting")
    before = host.run(["cat", "/proc/sys/kernel/random/boot_id"]).text
    host.run(["systemd-run", "--on-active=1", "systemctl", "reboot"], root=True)
    deadline = time.monotonic() + REBOOT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(2)
        try:
            if host.run(["cat", "/proc/sys/kernel/random/boot_id"], timeout_seconds=10).text != before:
                report.end()
                return
        except LanpiError as error:
            if error.exit_code is not ExitCode.UNREACHABLE and error.exit_code is not ExitCode.FAILED:
                raise
    raise LanpiError(
        f"the Pi did not come back within {REBOOT_SECONDS:.0f} s after its reboot",
        host=host.name,
        next_step="Check its power and network, then run the same command again",
    )


def _record(host: Host, desired: Desired, domain: str) -> None:
    facts = read_facts(host, root=True, packages=desired.packages)
    record = InstalledRecord(__version__, True, _now(), domain, dict(facts.packages.installed), _now())
    write_installed(host, record)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
