"""``lanpi restore``."""

from pathlib import Path
from typing import Annotated

import typer

from lanpi.cli.options import (
    AcceptNewHostKey,
    IdentityFile,
    Json,
    PasswordFile,
    SudoPasswordFile,
    TargetArgument,
    Yes,
    open_target,
)
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer()


@app.command()
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
    discard_previous: Annotated[
        bool, typer.Option("--discard-previous", help="Remove what earlier restores kept of before.")
    ] = False,
    password_file: PasswordFile = None,
    sudo_password_file: SudoPasswordFile = None,
    identity: IdentityFile = None,
    accept_new_host_key: AcceptNewHostKey = False,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Bring a backup back onto the same or another Pi, and prove it with a message.

    What was there before is kept on the Pi until --discard-previous, and comes back by itself when the
    restore fails. Interrupted, run the same command again.
    """
    from dataclasses import asdict

    from lanpi.backup.restore import Request
    from lanpi.backup.restore import discard_previous as discard
    from lanpi.backup.restore import restore as run
    from lanpi.cli.install_report import TerminalReporter, log_path

    terminal = Terminal(json_output=json_output, yes=yes)
    if bool(location) == discard_previous:
        raise LanpiError(
            "say where the backup is",
            next_step="lanpi restore --from REPOSITORY TARGET (or --discard-previous alone)",
            exit_code=ExitCode.BAD_INPUT,
        )
    key = _read(key_file)
    environment = _read(environment_file)
    with open_target(
        target,
        terminal,
        password_file=password_file,
        sudo_password_file=sudo_password_file,
        identity=identity,
        accept_new_host_key=accept_new_host_key,
    ) as host:
        if discard_previous:
            question = f"Remove for ever what was on {host.name} before its restores?"
        else:
            question = f"Replace the messages, accounts and settings of {host.name} by those of the backup?"
        if not terminal.confirm(question):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            if discard_previous:
                gone = discard(host, report)
            else:
                done = run(host, Request(location, snapshot, key, environment, log_path(target)), report)
    if discard_previous:
        if json_output:
            terminal.json({"event": "outcome", "discarded": list(gone)})
        else:
            terminal.result(f"Removed: {', '.join(gone)}" if gone else "There was nothing of before.")
        return
    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    held = done.summary
    terminal.result(f"\n{held['domain']} is back as of {held['made']}, and messages pass.\n")
    terminal.result(f"  {held['people']} people, {held['messages']} messages, {held['uploads']} files")
    if done.looked_for:
        terminal.warn(
            f"phones look for {held['domain']}, and this Pi has another name. When the old Pi is off, on this one: "
            f"sudo hostnamectl set-hostname {done.looked_for}"
        )
    if done.previous:
        terminal.result(f"  What was there before is kept in {done.previous} on the Pi.")
        terminal.result(f"  When all is well: lanpi restore --discard-previous{f' {target}' if target else ''}")


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise LanpiError(f"cannot read {path}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
