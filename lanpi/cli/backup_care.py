"""``lanpi backup verify``, ``drill``, ``prune`` and the like: what keeps snapshots worth having."""

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
    """Read every byte of every repository, and name the snapshots that damage hits."""
    _work(target, json_output, login, "verify", "Every byte is as it was written.")


class Place(StrEnum):
    """Where a drill brings the snapshot back."""

    PI = "pi"
    VIRTUAL = "virtual"


@app.command()
@with_login
def drill(
    target: TargetArgument = None,
    on: Annotated[
        Place, typer.Option("--on", help="The Pi itself, apart from its server, or a virtual Pi of this machine.")
    ] = Place.PI,
    location: Annotated[
        str, typer.Option("--from", metavar="REPOSITORY", help="With --on virtual: one of the Pi's; the first.")
    ] = "",
    compare_only: Annotated[
        bool, typer.Option("--compare-only", help="Compare the data, and start no second server with them.")
    ] = False,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Prove the newest snapshot, apart from the live server: restore, compare, serve, log in, compare."""
    if on is Place.VIRTUAL:
        if compare_only:
            raise LanpiError("a virtual Pi always serves the data", next_step="Leave out --compare-only",
                             exit_code=ExitCode.BAD_INPUT)  # fmt: skip
        _rehearse(target, json_output, login, location)
        return
    if location:
        raise LanpiError("on the Pi itself every repository is proven", next_step="Leave out --from",
                         exit_code=ExitCode.BAD_INPUT)  # fmt: skip
    served = "The newest snapshot restores, holds what was backed up, and a second server serves it."
    compared = "The newest snapshot restores, and holds what was backed up."
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
    terminal.result(f"Snapshot {done.snapshot} of {done.location} came back on a virtual Pi, and messages pass there.")
    terminal.result(holds(done.summary))


@app.command()
@with_login
def prune(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Forget snapshots by the retention (backup.keep_…) and remove what only they held."""
    _work(target, json_output, login, "prune", "Only what the retention keeps is left.")


@app.command()
@with_login
def unlock(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Take away locks whose holders are dead. Backups do it by themselves."""
    _work(target, json_output, login, "unlock", "No dead lock is left.")


@app.command("forget-repository")
@with_login
def forget_repository(
    location: Annotated[str, typer.Argument(help="As backup.repositories names it.", show_default=False)],
    target: TargetArgument = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Let the next backup begin a new repository where one was lost."""
    terminal = Terminal(json_output=json_output)
    with opened(target, terminal, login) as (_, program):
        result = program.run("forget-repository", location)
    if json_output:
        terminal.json(result)
    else:
        terminal.result(f"The next backup begins anew at {location}, unless there is a repository.")


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
