"""``lanpi backup verify``, ``drill``, ``prune`` and the like: what keeps snapshots usable."""

from enum import StrEnum
from typing import Annotated

import typer

from lanpi.cli.backup_shared import holds, opened
from lanpi.cli.options import Json, Login, TargetArgument, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer()


@app.command()
@with_login
def verify(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Check every place for damaged data.

    lanpi reads every byte, and lists the snapshots that are damaged.

    \b
    Example:
      lanpi backup verify pi@raspberrypi.local
    """
    _work(target, json_output, login, "verify", "No damage was found.")


class Place(StrEnum):
    """Where a drill restores the snapshot."""

    PI = "pi"
    VIRTUAL = "virtual"


@app.command()
@with_login
def drill(
    target: TargetArgument = None,
    on: Annotated[
        Place,
        typer.Option(
            "--on",
            metavar="pi|virtual",
            help="Restore on the Pi itself, apart from its server, or on a virtual Pi on this machine.",
        ),
    ] = Place.PI,
    location: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PLACE",
            help="With --on virtual: the place to restore from (default: the Pi's first one).",
        ),
    ] = "",
    compare_only: Annotated[
        bool, typer.Option("--compare-only", help="Only compare the data; do not start a second server with it.")
    ] = False,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Test that the newest snapshot can be restored.

    lanpi restores it apart from the running server, compares the data, starts a second server with it, logs
    in, and compares again.

    \b
    Examples:
      lanpi backup drill pi@raspberrypi.local
      lanpi backup drill pi@raspberrypi.local --on virtual
    """
    if on is Place.VIRTUAL:
        if compare_only:
            raise LanpiError("--compare-only does not go with --on virtual", next_step="Leave out --compare-only",
                             exit_code=ExitCode.BAD_INPUT)  # fmt: skip
        _rehearse(target, json_output, login, location)
        return
    if location:
        raise LanpiError("--from needs --on virtual: on the Pi, every place is tested", next_step="Leave out --from",
                         exit_code=ExitCode.BAD_INPUT)  # fmt: skip
    served = "The newest snapshot can be restored: its data is complete, and a second server works with it."
    compared = "The newest snapshot can be restored, and its data is complete."
    arguments = ("--server", "no" if compare_only else "must")
    _work(target, json_output, login, "drill", compared if compare_only else served, *arguments)


def _rehearse(target: str | None, json_output: bool, login: Login, location: str) -> None:
    from dataclasses import asdict

    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.drill import rehearse

    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host, TerminalReporter(terminal, verbose=False) as report:
        done = rehearse(host, location, log_path(target), report)
    if json_output:
        terminal.json({"event": "outcome", **asdict(done)})
        return
    terminal.result(
        f"Snapshot {done.snapshot} from {done.location} was restored on a virtual Pi, and messages are delivered there."
    )
    terminal.result(holds(done.summary))


@app.command()
@with_login
def prune(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Remove snapshots that are no longer kept.

    The settings backup.keep_… decide which snapshots stay; data that only the others used is deleted.

    \b
    Example:
      lanpi backup prune pi@raspberrypi.local
    """
    _work(target, json_output, login, "prune", "Only the snapshots that backup.keep_… keeps are left.")


@app.command()
@with_login
def unlock(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Remove stale locks.

    A lock is stale when the process that held it is gone. Backups remove stale locks by themselves.

    \b
    Example:
      lanpi backup unlock pi@raspberrypi.local
    """
    _work(target, json_output, login, "unlock", "No stale locks are left.")


@app.command("forget-repository")
@with_login
def forget_repository(
    location: Annotated[
        str, typer.Argument(metavar="PLACE", help="The place, as in backup.repositories.", show_default=False)
    ],
    target: TargetArgument = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Start again in a place that was lost.

    The next backup creates a new repository there.

    \b
    Example:
      lanpi backup forget-repository usb:1234-ABCD pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (_, program):
        result = program.run("forget-repository", location)
    if json_output:
        terminal.json(result)
    else:
        terminal.result(f"The next backup creates a new repository at {location} if there is none.")


def _work(target: str | None, json_output: bool, login: Login, verb: str, done: str, *arguments: str) -> None:
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (_, program):
        result = program.run(verb, *arguments, quietly=True)
    if json_output:
        terminal.json({"event": "outcome", **result})
        return
    for repository in result["repositories"]:
        terminal.result(repository)
    terminal.result(done)
