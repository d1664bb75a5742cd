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
        bool, typer.Option("--purge", help="Also remove accounts, messages, files, certificates and settings.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Show what would be removed, but change nothing.")] = False,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Remove lanpi from a Pi and undo its changes. People's data stays unless you pass --purge.

    \b
    Examples:
      lanpi uninstall pi@raspberrypi.local --check
      lanpi uninstall pi@raspberrypi.local
    """
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.uninstall import backups_on_card
    from lanpi.flows.uninstall import uninstall as run

    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        if purge:
            _warn_of_backups(terminal, backups_on_card(host))
        what = "and permanently delete all accounts, messages and files" if purge else "(accounts and messages stay)"
        if not check and not terminal.confirm(f"Remove lanpi from {host.name} {what}?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            outcome = run(host, report, purge=purge, check=check, log=log_path(target))
    if json_output:
        terminal.json(
            {"event": "outcome", "removed": list(outcome.removed), "kept": list(outcome.kept), "check": check}
        )
        return
    verb = "would be removed or restored" if check else "removed or restored"
    terminal.result(f"{len(outcome.removed)} {'item' if len(outcome.removed) == 1 else 'items'} {verb}.")
    for path in outcome.kept:
        terminal.result(f"Kept: {path}")
    if check:
        for item in outcome.removed:
            terminal.result(f"  {item}")


def _warn_of_backups(terminal: Terminal, size: int | None) -> None:
    """Warn before the question, and even where nobody is asked: this may be the last copy."""
    from lanpi.flows.uninstall import OWN_REPOSITORY

    if size is not None:
        terminal.warn(f"the backups on the Pi's own card are deleted too: {OWN_REPOSITORY}, {size / MEGABYTE:.1f} MB")
    sheet = terminal.place.complete("lanpi backup key")
    terminal.warn(
        f"the key to backups elsewhere is deleted: without the recovery sheet ({sheet}), nobody can read them"
    )
