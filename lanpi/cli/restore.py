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
        typer.Option(
            "--from",
            metavar="PLACE",
            help="Where the backup is, seen from the Pi: a path, usb:UUID, sftp:, rest: or s3:.",
        ),
    ] = "",
    snapshot: Annotated[
        str,
        typer.Option(
            "--snapshot", metavar="ID|TIME", help="A snapshot's id, or a time (UTC) for the newest snapshot before it."
        ),
    ] = "latest",
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file", metavar="FILE", help="Read the key from FILE; the recovery sheet has it.", show_default=False
        ),
    ] = None,
    environment_file: Annotated[
        Path | None,
        typer.Option(
            "--environment-file",
            metavar="FILE",
            help="Read the storage's credentials from FILE, one KEY=VALUE a line.",
            show_default=False,
        ),
    ] = None,
    account: Annotated[
        str,
        typer.Option(
            "--account",
            metavar="JID",
            help="Restore only this account into the running server.",
        ),
    ] = "",
    room: Annotated[
        str, typer.Option("--room", metavar="JID", help="Restore only this room into the running server.")
    ] = "",
    discard_previous: Annotated[
        bool, typer.Option("--discard-previous", help="Remove the data that earlier restores set aside.")
    ] = False,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Restore a backup, on the same Pi or another one, and test the server with a message.

    The Pi keeps the previous data until you run --discard-previous, and lanpi puts it back if the restore
    fails. If the restore is interrupted, run the same command again.

    With --account or --room, lanpi restores only that account or room: existing data stays, and nothing is
    duplicated.

    \b
    Examples:
      lanpi restore pi@raspberrypi.local --from /var/backups/lanpi
      lanpi restore pi@new.local --from usb:1234-ABCD --key-file key.txt
      lanpi restore pi@raspberrypi.local --from /var/backups/lanpi --account anna@chat.example.org
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
            "the place of the backup is missing" if not location else "--discard-previous does not go with --from",
            next_step="Pass either --from PLACE or --discard-previous",
            exit_code=ExitCode.BAD_INPUT,
        )
    if [bool(account), bool(room), discard_previous].count(True) > 1:
        raise LanpiError(
            "--account, --room and --discard-previous exclude each other",
            next_step="Pass only one of them",
            exit_code=ExitCode.BAD_INPUT,
        )


def _question(name: str, part: str, discard_previous: bool) -> str:
    if discard_previous:
        return f"Permanently remove the data that {name} kept from before its restores?"
    if part:
        return f"Restore {part} on {name}? With SQLite, the server stops for a few seconds."
    return f"Replace the messages, accounts and settings of {name} with those of the backup?"


def _show_discarded(terminal: Terminal, gone: Sequence[str], json_output: bool) -> None:
    if json_output:
        terminal.json({"event": "outcome", "discarded": list(gone)})
    else:
        terminal.result(f"Removed: {', '.join(gone)}" if gone else "There was no previous data to remove.")


def _show_whole(terminal: Terminal, done: "Restored", json_output: bool) -> None:
    from dataclasses import asdict

    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    held = done.summary
    terminal.result(f"\n{held['domain']} is restored to {held['made']}, and messages are delivered.\n")
    terminal.result(f"  {held['people']} people, {held['messages']} messages, {held['uploads']} files")
    if done.told:
        terminal.result(f"  Phones find it as {done.told}, as well as by this Pi's own name, once the old Pi is off.")
    if done.previous:
        terminal.result(f"  The previous data is kept in {done.previous} on the Pi.")
        terminal.result(terminal.place.complete("  When everything works, remove it: lanpi restore --discard-previous"))


def _show_part(terminal: Terminal, name: str, added: dict[str, Any], json_output: bool) -> None:
    if json_output:
        terminal.json({"event": "outcome", **added})
    elif not added["rows"] and not added["files"]:
        terminal.result(f"Nothing was missing from {name}.")
    else:
        terminal.result(f"Restored for {name}: {added['rows']} rows, {added['files']} files")
        terminal.table(("TABLE", "ROWS"), ((table, str(rows)) for table, rows in added["added"].items()))


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise LanpiError(f"cannot read {path}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
