"""``lanpi tune``: how memory, processor, card and connections are shared - shown, explained, changed."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lanpi.cli.groups import DefaultGroup
from lanpi.cli.options import Json, Login, TargetArgument, Verbose, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

if TYPE_CHECKING:
    from lanpi.deploy.session import Session
    from lanpi.flows.tune import Change, Proposal
    from lanpi.hosts import Host
    from lanpi.tuning.model import Setting

app = typer.Typer(
    cls=DefaultGroup,
    help="Show, explain and change the limits of a Pi's services.\n\n"
    "`lanpi tune TARGET` is short for `lanpi tune apply TARGET`.",
)


@app.command("apply")
@with_login
def apply_limits(
    target: TargetArgument = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show each setting with its current and proposed value, but change nothing.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            "--explain",
            metavar="SETTING",
            help="Explain where the value of one setting comes from.",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="PROFILE", help="eco, balanced or max.", show_default=False)
    ] = None,
    people: Annotated[
        int | None,
        typer.Option(
            "--people",
            metavar="NUMBER",
            min=0,
            help="Plan for this many people online at the same time; 0 for as many as the Pi can hold.",
            show_default=False,
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--override",
            metavar="SETTING=VALUE",
            help="Set one value yourself; leave VALUE empty to use the computed value again.",
            show_default=False,
        ),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Go back to the previous limits.")] = False,
    verbose: Verbose = 0,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Fit the limits of the services to the Pi.

    lanpi computes the limits, asks you, applies them, and sends a test message. If that fails, it goes back to
    the previous limits.

    \b
    Examples:
      lanpi tune apply pi@raspberrypi.local --plan
      lanpi tune apply pi@raspberrypi.local --people 200
      lanpi tune apply pi@raspberrypi.local --undo
    """
    from lanpi.flows.tune import Change

    change = Change(profile, people, dict(parse_override(text) for text in overrides or []))
    wanted = profile is not None or people is not None or bool(overrides)
    if undo and (wanted or explain):
        raise _bad("--undo does not go with other changes or --explain")
    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        if explain:
            _say_explanation(terminal, host, change, explain)
        elif plan:
            _say_plan(terminal, host, _propose(host, change, undo), everything=True)
        else:
            _apply(terminal, host, _propose(host, change, undo), target, verbose)


@app.command()
@with_login
def history(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """List the sets of limits that this Pi has had.

    \b
    Example:
      lanpi tune history pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        _say_history(terminal, host)


def parse_override(text: str) -> tuple[str, int | str | None]:
    """``redis.clients=300`` as name and value; no value takes the override away.

    Raises:
        LanpiError: BAD_INPUT without a name or an equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise _bad(f"--override {text}: write it as SETTING=VALUE")
    if not value:
        return name, None
    return name, int(value) if value.lstrip("-").isdigit() else value


def _propose(host: "Host", change: "Change", undo: bool) -> "Proposal":
    from lanpi.flows.tune import propose, propose_undo

    return propose_undo(host) if undo else propose(host, change)


def _rows(host: "Host", proposal: "Proposal") -> "list[tuple[Setting, int | str | None, int | str]]":
    """Each setting with its value now and the one proposed."""
    from lanpi.deploy.limits_now import read_now

    settings = proposal.decision.settings
    now = read_now(host, settings)
    return [(setting, now[setting.name], proposal.value(setting)) for setting in settings]


def _say_plan(terminal: Terminal, host: "Host", proposal: "Proposal", *, everything: bool) -> None:
    from lanpi.health.enforce import unenforced
    from lanpi.tuning.take import show

    rows = _rows(host, proposal)
    gaps = unenforced(proposal.facts, proposal.after, proposal.decision.settings)
    if terminal.json_output:
        terminal.json(
            {
                "event": "plan",
                "inputs": asdict(proposal.plan.inputs),
                "settings": [asdict(s) | {"now": now, "proposed": value} for s, now, value in rows],
                "unenforced": [asdict(gap) for gap in gaps],
            }
        )
        return
    shown = [row for row in rows if everything or row[1] != row[2]]
    terminal.table(
        ("SETTING", "NOW", "PROPOSED", "WHY"),
        (
            (
                s.name,
                "?" if now is None else show(now, s.unit),
                show(value, s.unit) + ("*" if s.overridden else ""),
                s.why,
            )
            for s, now, value in shown
        ),
    )
    if any(setting.overridden for setting, _, _ in shown):
        terminal.result("* set by tune.overrides")
    for gap in gaps:
        count = f"{len(gap.names)} settings ({gap.names[0]} …)" if len(gap.names) > 1 else "".join(gap.names)
        terminal.mark("warning", f"not enforced: {count}: {gap.why}", gap.next_step)


def _say_explanation(terminal: Terminal, host: "Host", change: "Change", name: str) -> None:
    import difflib

    from lanpi.tuning.take import show

    proposal = _propose(host, change, undo=False)
    rows = {setting.name: (setting, now, value) for setting, now, value in _rows(host, proposal)}
    if name not in rows and f"sysctl.{name}" in rows:
        name = f"sysctl.{name}"
    if name not in rows:
        near = difflib.get_close_matches(name, rows, n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise _bad(f"there is no setting {name} on {host.name}{hint}")
    setting, now, value = rows[name]
    if terminal.json_output:
        terminal.json(asdict(setting) | {"now": now, "proposed": value})
        return
    lines = [
        ("now", "cannot be read" if now is None else show(now, setting.unit)),
        ("proposed", show(value, setting.unit)),
        ("formula", setting.formula + (f" = {show(setting.computed, setting.unit)}" if setting.overridden else "")),
        ("why", setting.why),
        ("source", setting.source),
        ("set in", setting.lands),
        ("range", setting.bounds or "cannot be set on its own"),
    ]
    terminal.result(setting.name + (" (set by tune.overrides)" if setting.overridden else ""))
    for label, text in lines:
        if text:
            terminal.result(f"  {label:10}{text}")


def _say_history(terminal: Terminal, host: "Host") -> None:
    from lanpi.deploy.limits_stored import read_history

    sets = read_history(host)
    if terminal.json_output:
        terminal.json({"sets": [asdict(entry) for entry in sets]})
    elif not sets:
        terminal.result("There is no history yet: the limits are those set by the installation.")
    else:
        rows = []
        for entry in reversed(sets):
            tune = entry.tune
            people = f", {tune['people']} people" if tune["people"] else ""
            own = f", {len(tune['overrides'])} overrides" if tune["overrides"] else ""
            rows.append((str(entry.number), entry.when, entry.how, f"{tune['profile']}{people}{own}", entry.state))
        terminal.table(("SET", "WHEN", "BY", "LIMITS", "STATE"), rows)


def _apply(terminal: Terminal, host: "Session", proposal: "Proposal", target: str | None, verbose: int) -> None:
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.install import Options
    from lanpi.flows.tune import apply

    if not proposal.changes_nothing:
        _say_plan(terminal, host, proposal, everything=False)
        if not terminal.confirm("Apply these limits? Services whose settings change will be restarted."):
            terminal.note("Nothing was changed.")
            return
    with TerminalReporter(terminal, verbose=verbose > 0) as report:
        outcome = apply(host, proposal, Options(log=log_path(target), verbosity=verbose), report)
    if terminal.json_output:
        terminal.json({"event": "outcome", "set": outcome.number, "changed": list(outcome.changed)})
    elif outcome.changed:
        terminal.result(
            f"Set {outcome.number} is in effect ({len(outcome.changed)} changes), and messages are delivered."
        )
    else:
        terminal.result("Nothing to change: the limits fit, and messages are delivered.")


def _bad(what: str) -> LanpiError:
    return LanpiError(what, next_step="Run: lanpi tune --help", exit_code=ExitCode.BAD_INPUT)
