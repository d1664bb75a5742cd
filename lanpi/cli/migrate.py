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
    old: Annotated[str, typer.Argument(metavar="OLD", help="The Pi that runs the server now.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The Pi that takes over.", show_default=False)],
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Move a running server to a new Pi: accounts, messages, files and certificates.

    lanpi copies everything while the old server keeps running, and stops it only to copy what changed since
    then. The old Pi keeps its data and stays stopped; if the move fails, its server is started again.

    \b
    Example:
      lanpi migrate pi@old.local pi@new.local
    """
    from dataclasses import asdict

    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.migrate import migrate as run

    terminal = Terminal(json_output=json_output, yes=yes)
    with (
        open_target(old, terminal, login) as source,
        open_target(new, terminal, login) as target,
    ):
        if not terminal.confirm(f"Move the server from {source.name} to {target.name}, and stop it on {source.name}?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            done = run(source, target, log_path(new), report)
    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    held = done.summary
    terminal.result(f"\n{held['domain']} now runs on {new}, and messages are delivered.\n")
    terminal.result(f"  {held['people']} people, {held['messages']} messages, {held['uploads']} files")
    before, then = done.first_bytes / MEGABYTE, done.last_bytes / MEGABYTE
    terminal.result(f"  The server was down for {done.downtime_seconds:.1f} s")
    terminal.result(f"  {before:.1f} MB were copied before that, {then:.1f} MB during that time")
    if done.told:
        terminal.result(f"  Phones find it as {done.told}; the old Pi no longer answers to that name.")
    back = place_of(old, login).complete("lanpi install --force")
    terminal.result(f"  The server on {old} is stopped, and its data is kept. To go back: {back}")
