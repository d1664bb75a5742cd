"""``lanpi migrate``."""

from typing import Annotated

import typer

from lanpi.cli.options import Json, Login, Yes, open_target, place_of, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode

app = typer.Typer()

MEGABYTE = 1024 * 1024


@app.command()
@with_login
def migrate(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The Pi that serves now.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The Pi that takes over.", show_default=False)],
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Move a living server to a new Pi: accounts, messages, files, certificates.

    Everything is carried over while the old server runs; it stops only for what changed since. The old Pi
    stays as it was, stopped; if the move fails it is started again.
    """
    from dataclasses import asdict

    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.migrate import migrate as run

    terminal = Terminal(json_output=json_output, yes=yes)
    with (
        open_target(old, terminal, login) as source,
        open_target(new, terminal, login) as target,
    ):
        if not terminal.confirm(f"Move the server of {source.name} to {target.name}, and stop it on {source.name}?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            done = run(source, target, log_path(new), report)
    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    held = done.summary
    terminal.result(f"\n{held['domain']} is on {new} now, and messages pass.\n")
    terminal.result(f"  {held['people']} people, {held['messages']} messages, {held['uploads']} files")
    before, then = done.first_bytes / MEGABYTE, done.last_bytes / MEGABYTE
    terminal.result(f"  Nobody could write for {done.downtime_seconds:.1f} s")
    terminal.result(f"  {before:.1f} MB were carried over before that, {then:.1f} MB meanwhile")
    if done.told:
        terminal.result(f"  Phones find it as {done.told}, to which the old Pi no longer answers.")
    back = place_of(old, login).complete("lanpi install")
    terminal.result(f"  {old} is stopped and keeps its data. Back to it: {back}")
