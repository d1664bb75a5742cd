"""``lanpi uninstall``."""

from typing import Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode

app = typer.Typer()

MEGABYTE = 1024 * 1024


@app.command()
@with_login
def uninstall(
    target: TargetArgument = None,
    purge: Annotated[
        bool, typer.Option("--purge", help="Also remove accounts, messages, files, certificates, settings.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Show what would be removed; touch nothing.")] = False,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Take lanpi off a Pi again and put back what it changed. People's data stays unless --purge is given."""
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.uninstall import backups_on_card
    from lanpi.flows.uninstall import uninstall as run

    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        if purge:
            _warn_of_backups(terminal, backups_on_card(host))
        what = "with all accounts, messages and files, for ever" if purge else "(accounts and messages stay)"
        if not check and not terminal.confirm(f"Remove lanpi from {host.name} {what}?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            outcome = run(host, report, purge=purge, check=check, log=log_path(target))
    if json_output:
        terminal.json(
            {"event": "outcome", "removed": list(outcome.removed), "kept": list(outcome.kept), "check": check}
        )
        return
    verb = "would be removed or put back" if check else "removed or put back"
    terminal.result(f"{len(outcome.removed)} things {verb}.")
    for path in outcome.kept:
        terminal.result(f"Kept: {path}")
    if check:
        for item in outcome.removed:
            terminal.result(f"  {item}")


def _warn_of_backups(terminal: Terminal, size: int | None) -> None:
    """Before the question, and where nobody is asked too: this is the last copy."""
    from lanpi.flows.uninstall import OWN_REPOSITORY

    if size is not None:
        terminal.warn(f"the backups on the Pi's own card go too: {OWN_REPOSITORY}, {size / MEGABYTE:.1f} MB")
    sheet = terminal.place.complete("lanpi backup key")
    terminal.warn(f"so does the key of those elsewhere: without the recovery sheet ({sheet}) nobody reads them")
