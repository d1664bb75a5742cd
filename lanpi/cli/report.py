"""``lanpi report``."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer()


@app.command()
@with_login
def report(
    target: TargetArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the report to FILE (.tar.gz).", show_default=False),
    ] = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Write a report to send to someone who helps you.

    It holds facts about the Pi, the findings of lanpi doctor, a day of logs and the configuration, without
    secrets.

    \b
    Example:
      lanpi report pi@raspberrypi.local --output report.tar.gz
    """
    from lanpi.health.read import read_evidence
    from lanpi.health.report import build, day_of_logs, write

    terminal = Terminal(json_output=json_output)
    path = output or Path(f"lanpi-report-{datetime.now():%Y%m%d-%H%M%S}.tar.gz")
    with open_target(target, terminal, login) as host:
        root = host.can_be_root
        if not root:
            terminal.warn(f"without root on {host.name}, the report lacks most logs")
        files = build(host.name, read_evidence(host, root=root), day_of_logs(host, root=root))
    try:
        write(path, files)
    except OSError as error:
        raise LanpiError(
            f"cannot write {path}: {error.strerror}",
            next_step="Choose another file with --output",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    if json_output:
        terminal.json({"path": str(path), "files": sorted(files)})
    else:
        terminal.result(f"Written to {path}. Check it before you send it: it contains people's addresses.")
