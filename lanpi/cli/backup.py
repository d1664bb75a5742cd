"""``lanpi backup``: the Pi makes its backups by itself; these commands start, show and check the same work."""

import os
from pathlib import Path
from typing import Annotated

import typer

from lanpi.cli import backup_care, backup_places
from lanpi.cli.backup_shared import holds, opened, size
from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer(no_args_is_help=True, help="Make, list, verify and test backups.")
app.add_typer(backup_places.app)
app.add_typer(backup_care.app)

SnapshotArgument = Annotated[
    str,
    typer.Argument(
        metavar="SNAPSHOT", help="The beginning of a snapshot's id, latest, or a time (UTC).", show_default=False
    ),
]


@app.command()
@with_login
def now(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Back up to every place now.

    lanpi shows the progress of the backup; Ctrl-C ends only the display, not the backup.

    \b
    Example:
      lanpi backup now pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (_, program):
        result = program.run("follow")
    if json_output:
        terminal.json({"event": "outcome", **result})
        return
    for saved in result["repositories"]:
        terminal.result(
            f"Snapshot {saved['snapshot']} at {saved['location']}: {size(saved['added_bytes'])} added "
            f"in {result['seconds']:.0f} s"
        )
    terminal.result(holds(result))


@app.command("list")
@with_login
def list_snapshots(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """List the snapshots in every place.

    \b
    Example:
      lanpi backup list pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (_, program):
        result = program.run("list")
    if json_output:
        terminal.json(result)
        return
    for failure in result["failures"]:
        terminal.warn(failure)
    if not result["snapshots"]:
        terminal.result("There are no snapshots yet.")
        return
    terminal.table(
        ("SNAPSHOT", "TIME (UTC)", "PLACE"),
        ((row["id"], row["time"].rstrip("Z").replace("T", " "), row["repository"]) for row in result["snapshots"]),
    )


@app.command()
@with_login
def show(snapshot: SnapshotArgument, target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Show what a snapshot holds.

    \b
    Examples:
      lanpi backup show latest pi@raspberrypi.local
      lanpi backup show 1a2b3c4d pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (_, program):
        result = program.run("show", snapshot)
    if json_output:
        terminal.json(result)
        return
    terminal.result(f"Snapshot {result['id']} of {result['domain']}, made {result['made']} on {result['hostname']}")
    terminal.result(holds(result))
    terminal.result("Versions: " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()))
    verified = result["verified"] if result["verified"] >= result["made"] else ""
    terminal.result(f"Verified: {verified or 'not yet'}")


@app.command()
@with_login
def key(
    target: TargetArgument = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the recovery sheet to FILE (mode 0600).",
            show_default=False,
        ),
    ] = None,
    *,
    login: Login,
    yes: Yes = False,
) -> None:
    """Show the recovery sheet, or write it to a file.

    It holds the key, the places of the backups, and the command that restores the server.

    \b
    Example:
      lanpi backup key pi@raspberrypi.local --output recovery.txt
    """
    from lanpi.backup.sheet import recovery_sheet

    terminal = Terminal(yes=yes)
    with opened(target, terminal, login) as (_, program):
        known = program.run("key")
        sheet = recovery_sheet(known["domain"], known["outlive"], known["key"], paper=output is not None)
        if not known["outlive"]:
            terminal.warn(
                terminal.place.complete(
                    "every backup is on the Pi's own card and is lost with it: run `lanpi backup add PLACE`"
                )
            )
        if output:
            _write(output, sheet)
            terminal.result(f"Written to {output}. Print it, or keep it somewhere safe away from the Pi and its card.")
        else:
            terminal.raw(sheet)
        if output or terminal.confirm("Have you saved it somewhere safe, away from the Pi and its card?"):
            program.run("key-saved")


@app.command()
@with_login
def export(
    output: Annotated[
        Path, typer.Argument(metavar="FILE", help="The tar file to create on this machine.", show_default=False)
    ],
    target: TargetArgument = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Export everything to a file for other servers.

    Use it to leave lanpi. The file is not encrypted.

    \b
    Example:
      lanpi backup export export.tar pi@raspberrypi.local
    """
    from dataclasses import asdict

    from lanpi.backup.remote import Program
    from lanpi.cli.install_report import TerminalReporter
    from lanpi.flows.export import export as run

    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host, TerminalReporter(terminal, verbose=False) as report:
        done = run(host, Program(host, report), output, report)
    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    terminal.result(f"Exported to {done.path}: {size(done.size_bytes)}; {done.compared} files match their hashes")
    terminal.result(holds(done.summary))
    terminal.warn("the file is not encrypted and holds every message and the server's secrets: keep it safe")


@app.command()
@with_login
def schedule(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Show when backups run, and how they went.

    \b
    Example:
      lanpi backup schedule pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (host, program):
        status = program.run("status")
        timers = ("lanpi-backup.timer", "lanpi-backup-care.timer")
        upcoming = [
            host.run(["systemctl", "show", "-P", "NextElapseUSecRealtime", timer]).text.strip() for timer in timers
        ]
    if json_output:
        terminal.json(status | {"next_backup": upcoming[0], "next_care": upcoming[1]})
        return
    complete = terminal.place.complete
    rows = [
        ("Next backup", upcoming[0] or "none: backup.enabled is false"),
        ("Next prune, verify and drill", upcoming[1] or "none"),
        ("Last backup", status["last_success"] or "never"),
        ("Last verified", status["last_verified"] or "never"),
        ("Last drill", status["last_drill"] or "never"),
        ("Key saved elsewhere", "yes" if status["key_saved"] else complete("no (run: lanpi backup key)")),
    ]
    if status["last_error"]:
        rows.append(("Last failure", status["last_error"]))
    terminal.table(("", ""), rows)
    terminal.result(
        f"To change the schedule: {complete('lanpi install --set backup.schedule=HH:MM')} "
        "(`lanpi config example` lists all keys)"
    )


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise LanpiError(
            f"cannot write {path}: {error.strerror}",
            next_step="Choose another file with --output",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
