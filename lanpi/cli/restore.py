"""``lanpi restore``."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

if TYPE_CHECKING:
    from lanpi.flows.restore import Restored

app = typer.Typer()


@app.command()
@with_login
def restore(
    target: TargetArgument = None,
    location: Annotated[
        str,
        typer.Option("--from", metavar="REPOSITORY", help="As the Pi reaches it: a path, usb:UUID, sftp:, rest:, s3:."),
    ] = "",
    snapshot: Annotated[str, typer.Option("--snapshot", help="Its id, or the newest by a time (UTC).")] = "latest",
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", help="File with the key of the recovery sheet.", show_default=False),
    ] = None,
    environment_file: Annotated[
        Path | None,
        typer.Option("--environment-file", help="KEY=VALUE lines that the storage asks for.", show_default=False),
    ] = None,
    account: Annotated[
        str, typer.Option("--account", metavar="JID", help="Only this account, into the server in use.")
    ] = "",
    room: Annotated[str, typer.Option("--room", metavar="JID", help="Only this room, into the server in use.")] = "",
    discard_previous: Annotated[
        bool, typer.Option("--discard-previous", help="Remove what earlier restores kept of before.")
    ] = False,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Bring a backup back onto the same or another Pi, and prove it with a message.

    What was there before is kept on the Pi until --discard-previous, and comes back by itself when the
    restore fails. Interrupted, run the same command again.

    With --account or --room only that is brought in: what is there stays, and nothing is doubled.
    """
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.restore import Request, restore_part
    from lanpi.flows.restore import discard_previous as discard
    from lanpi.flows.restore import restore as run

    terminal = Terminal(json_output=json_output, yes=yes)
    part = account or room
    _check(location, account, room, discard_previous)
    request = Request(location, snapshot, _read(key_file), _read(environment_file), None if part else log_path(target))
    with open_target(target, terminal, login) as host:
        if not terminal.confirm(_question(host.name, part, discard_previous)):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            if discard_previous:
                show: Callable[[], None] = partial(_show_discarded, terminal, discard(host, report), json_output)
            elif part:
                show = partial(
                    _show_part, terminal, part, restore_part(host, request, account, room, report), json_output
                )
            else:
                show = partial(_show_whole, terminal, run(host, request, report), json_output)
    show()


def _check(location: str, account: str, room: str, discard_previous: bool) -> None:
    if bool(location) == discard_previous:
        raise LanpiError(
            "say where the backup is",
            next_step="lanpi restore TARGET --from REPOSITORY (or --discard-previous alone)",
            exit_code=ExitCode.BAD_INPUT,
        )
    if [bool(account), bool(room), discard_previous].count(True) > 1:
        raise LanpiError(
            "one account, one room, or all of it", next_step="Give one of them", exit_code=ExitCode.BAD_INPUT
        )


def _question(name: str, part: str, discard_previous: bool) -> str:
    if discard_previous:
        return f"Remove for ever what was on {name} before its restores?"
    if part:
        return f"Bring {part} into {name}? With SQLite its server stops for some seconds."
    return f"Replace the messages, accounts and settings of {name} by those of the backup?"


def _show_discarded(terminal: Terminal, gone: Sequence[str], json_output: bool) -> None:
    if json_output:
        terminal.json({"event": "outcome", "discarded": list(gone)})
    else:
        terminal.result(f"Removed: {', '.join(gone)}" if gone else "There was nothing of before.")


def _show_whole(terminal: Terminal, done: "Restored", json_output: bool) -> None:
    from dataclasses import asdict

    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    held = done.summary
    terminal.result(f"\n{held['domain']} is back as of {held['made']}, and messages pass.\n")
    terminal.result(f"  {held['people']} people, {held['messages']} messages, {held['uploads']} files")
    if done.told:
        terminal.result(f"  Phones find it as {done.told} beside this Pi's own name, once the old Pi is off.")
    if done.previous:
        terminal.result(f"  What was there before is kept in {done.previous} on the Pi.")
        terminal.result(terminal.place.complete("  When all is well: lanpi restore --discard-previous"))


def _show_part(terminal: Terminal, name: str, added: dict[str, Any], json_output: bool) -> None:
    if json_output:
        terminal.json({"event": "outcome", **added})
    elif not added["rows"] and not added["files"]:
        terminal.result(f"Nothing of {name} was missing.")
    else:
        terminal.result(f"Brought back of {name}: {added['rows']} rows, {added['files']} files")
        terminal.table(("TABLE", "ROWS"), ((table, str(rows)) for table, rows in added["added"].items()))


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise LanpiError(f"cannot read {path}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
