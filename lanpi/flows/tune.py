"""`lanpi tune`: propose, apply, prove - and put the previous limits back if that fails."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lanpi.config.load import effective
from lanpi.config.model import Config
from lanpi.config.read import parse
from lanpi.deploy.check import check_now
from lanpi.deploy.compare import PlayReporter
from lanpi.deploy.converge import RunOptions, changes, converge
from lanpi.deploy.desired import desired_state
from lanpi.deploy.limits_stored import (
    Set,
    find,
    in_effect,
    plan_from,
    read_history,
    read_plan,
    with_state,
    write_history,
)
from lanpi.deploy.lock import TakenOver
from lanpi.deploy.proof import Proof, proven
from lanpi.deploy.session import Session
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.flows.moved import require_here
from lanpi.hosts.base import Host
from lanpi.im.admin import Server
from lanpi.tuning.decide import decide
from lanpi.tuning.model import Decision, Plan, Setting

SOURCE = "/etc/lanpi/lanpi.yml on the Pi"


@dataclass(frozen=True)
class Change:
    """What the user wants to change; None and absent leave a value as it is.

    Attributes:
        profile: the new profile.
        people: the new number of people; 0 sizes for as many as fit.
        overrides: name -> value, None to remove an override.
    """

    profile: str | None = None
    people: int | None = None
    overrides: Mapping[str, int | str | None] | None = None


@dataclass(frozen=True)
class Proposal:
    """What a tune would do.

    Attributes:
        facts: of the Pi.
        before, after: the configuration in effect and the wanted one.
        decision: the wanted limits.
        installed: the plan in effect; None when another version of lanpi made it.
        sets: the history.
        how: "tune" or "undo".
        goes_back_to: with undo, the set that comes back.
    """

    facts: Facts
    before: Config
    after: Config
    decision: Decision
    installed: Plan | None
    sets: tuple[Set, ...]
    how: str
    goes_back_to: Set | None = None

    @property
    def plan(self) -> Plan:
        """The wanted plan: an undo restores exactly the earlier plan, not what would be computed today."""
        stored = plan_from(self.goes_back_to.plan) if self.goes_back_to else None
        return stored or self.decision.plan

    def value(self, setting: Setting) -> int | str:
        """The value of a setting in the wanted plan."""
        part, _, field = setting.name.partition(".")
        held = getattr(self.plan, part)
        found = held.get(field, setting.value) if isinstance(held, dict) else getattr(held, field)
        value: int | str = found
        return value

    @property
    def changes_nothing(self) -> bool:
        """Whether plan and configuration match the installed ones."""
        return self.plan == self.installed and self.before == self.after


@dataclass(frozen=True)
class Outcome:
    """The result of a tune: the set now in effect, what changed on the Pi, the proof."""

    number: int
    changed: tuple[str, ...]
    proof: Proof


def propose(host: Host, change: Change) -> Proposal:
    """Decide new limits for a Pi; only reads.

    Raises:
        LanpiError: BLOCKED without a finished install, BAD_INPUT for impossible values.
    """
    facts, before = _look(host)
    after = changed(before, change)
    return Proposal(facts, before, after, decide(facts, after), read_plan(host), read_history(host), "tune")


def propose_undo(host: Host) -> Proposal:
    """Go back to the limits before the ones in effect; only reads.

    Raises:
        LanpiError: BAD_INPUT when there are none to go back to, BLOCKED without a finished install.
    """
    facts, before = _look(host)
    sets = read_history(host)
    current = in_effect(sets)
    target = find(sets, current.previous) if current else None
    if target is None:
        raise LanpiError(
            "there are no earlier limits to go back to",
            host=host.name,
            next_step="`lanpi tune history` lists the limits that were kept",
            exit_code=ExitCode.BAD_INPUT,
        )
    after = _config(before.model_dump(mode="json") | {"tune": target.tune})
    return Proposal(facts, before, after, decide(facts, after), read_plan(host), sets, "undo", target)


def changed(config: Config, change: Change) -> Config:
    """A configuration with other limits.

    Raises:
        LanpiError: BAD_INPUT when it is not valid.
    """
    tune = config.tune.model_dump()
    if change.profile is not None:
        tune["profile"] = change.profile
    if change.people is not None:
        tune["people"] = change.people or None
    for name, value in (change.overrides or {}).items():
        if value is None:
            tune["overrides"].pop(name, None)
        else:
            tune["overrides"][name] = value
    return _config(config.model_dump(mode="json") | {"tune": tune})


def apply(session: Session, proposal: Proposal, options: RunOptions, report: PlayReporter) -> Outcome:
    """Apply a proposal, prove that messages are delivered, and go back automatically when they do not.

    Args:
        session: the Pi.
        proposal: from :func:`propose` or :func:`propose_undo`.
        options: log and verbosity.
        report: is told what happens.

    Raises:
        LanpiError: FAILED when it did not work; says whether the previous limits are back. UNREACHABLE
            when the connection was lost, BLOCKED when another lanpi is running or the server has moved
            to another Pi.
    """
    require_here(session, proposal.facts)
    with session.lease(report):
        if proposal.changes_nothing:
            # No new set, but files that somebody changed by hand are corrected.
            changed, proof = _bring_about(session, proposal.facts, proposal.after, proposal.plan, options, report)
            current = in_effect(proposal.sets)
            return Outcome(current.number if current else 0, changed, proof)
        sets, current, new = _begin(session, proposal)
        try:
            changed, proof = _bring_about(session, proposal.facts, proposal.after, proposal.plan, options, report)
        except LanpiError as error:
            if error.exit_code is ExitCode.UNREACHABLE or isinstance(error, TakenOver):
                raise
            _go_back(session, proposal, current, options, report, error)
            write_history(session, with_state(sets, new.number, "rolled back"))
            raise LanpiError(
                f"these limits did not work ({error.what}); the previous ones are back, and messages are delivered",
                host=session.name,
                next_step="Change your settings, or keep the previous limits",
            ) from error
        write_history(session, with_state(sets, new.number, "in effect"))
        return Outcome(new.number, changed, proof)


def _look(host: Host) -> tuple[Facts, Config]:
    facts = read_facts(host, root=True)
    require_here(host, facts)
    if facts.installed is None or not facts.installed.finished:
        raise LanpiError(
            "lanpi is not installed on this Pi, or its install did not finish",
            host=host.name,
            next_step="Run `lanpi install` first",
            exit_code=ExitCode.BLOCKED,
        )
    config = _config(parse(facts.config_text, SOURCE) if facts.config_text else {})
    return facts, config.model_copy(update={"domain": facts.installed.domain})


def _begin(host: Host, proposal: Proposal) -> tuple[tuple[Set, ...], Set, Set]:
    """Record, before anything changes, which limits are in effect and which are about to be."""
    sets = list(proposal.sets)
    number = max((entry.number for entry in sets), default=0)
    current = in_effect(sets)
    interrupted = bool(sets) and sets[-1].state == "started"
    known = current is not None and (interrupted or _same(current, proposal))
    if current is None or not known:
        # The first tune, or an install with other settings came between.
        number += 1
        installed = proposal.installed or decide(proposal.facts, proposal.before).plan
        before = current.number if current else 0
        current = Set(number, _now(), "install", "in effect", before, _tune(proposal.before), asdict(installed))
        sets = [replace(entry, state="replaced") if entry.state == "in effect" else entry for entry in sets]
        sets.append(current)
    back = proposal.goes_back_to
    new = Set(
        number=number + 1,
        when=_now(),
        how=proposal.how,
        state="started",
        previous=back.previous if back else current.number,
        tune=_tune(proposal.after),
        plan=asdict(proposal.plan),
    )
    sets.append(new)
    write_history(host, sets)
    return tuple(sets), current, new


def _same(current: Set, proposal: Proposal) -> bool:
    return current.tune == _tune(proposal.before) and (
        proposal.installed is None or current.plan == asdict(proposal.installed)
    )


def _bring_about(
    session: Session, facts: Facts, config: Config, plan: Plan, options: RunOptions, report: PlayReporter
) -> tuple[tuple[str, ...], Proof]:
    domain = config.domain or ""
    desired = desired_state(facts, config, plan, domain)
    events = converge(session, facts, config, desired, options, report)
    proof = proven(session, Server(session, domain), report)
    check_now(session, report)
    return changes(events), proof


def _go_back(
    session: Session, proposal: Proposal, current: Set, options: RunOptions, report: PlayReporter, why: LanpiError
) -> None:
    report.note(f"the new limits did not work: {why.what}")
    report.note("putting the previous limits back")
    # A plan stored by another version of lanpi cannot be read back exactly; it is computed again.
    plan = plan_from(current.plan) or decide(proposal.facts, proposal.before).plan
    try:
        _bring_about(session, proposal.facts, proposal.before, plan, options, report)
    except LanpiError as error:
        raise LanpiError(
            f"these limits did not work ({why.what}), and the previous ones could not be put back ({error.what})",
            host=session.name,
            next_step="Run `lanpi install`: it continues from here",
            exit_code=error.exit_code,
        ) from error


def _config(settings: Mapping[str, Any]) -> Config:
    return effective(settings, {}).config


def _tune(config: Config) -> dict[str, Any]:
    return config.tune.model_dump(mode="json")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
