"""``lanpi status``."""

import contextlib
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lanpi.cli.options import Json, Login, known_targets, open_target, place_of, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import Host
from lanpi.spans import parse_span

if TYPE_CHECKING:
    from lanpi.health.status import Report
    from lanpi.health.watch import Watched

app = typer.Typer()

# Of several targets: one that is known to be ill says more than one that is not known at all.
ORDER = (0, 1, 3, 2)
DAY_SECONDS = 86400
CONNECT_SECONDS = 5.0
TOGETHER = 16
"""Targets that are looked at at the same time."""


@app.command()
@with_login
def status(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET",
            help="USER@HOST[:PORT], names from `lanpi host`, virtual:NAME, or local. Default: this machine.",
            autocompletion=known_targets,
            show_default=False,
        ),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep updating the status until Ctrl-C.")] = False,
    interval: Annotated[
        float, typer.Option("--interval", metavar="SECONDS", min=1, help="With --watch: time between updates.")
    ] = 5,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also send a test message between two accounts that the Pi has for this.")
    ] = False,
    prometheus: Annotated[bool, typer.Option("--prometheus", help="Print metrics for Prometheus.")] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="SPAN", help="Draw the history of this time span: 90m, 24h, 7d, 2w.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write the history to an HTML page (the last day, or the span of --since)."
        ),
    ] = None,
    no_root: Annotated[
        bool, typer.Option("--no-root", help="Read only what an ordinary user can read; do not use sudo.")
    ] = False,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Show how a Pi is doing: its services, people, board, certificate, backup and upkeep.

    The exit code is 0 if all is well, 1 for a warning, 2 if something is critical, and 3 if it is unknown.

    \b
    Examples:
      lanpi status pi@raspberrypi.local
      lanpi status pi@raspberrypi.local --watch
      lanpi status pi@raspberrypi.local --since 7d --html history.html
    """
    from lanpi.health.watch import Watched

    span = parse_span(since) if since else DAY_SECONDS if html else 0.0
    _refuse(watch=watch, deep=deep, past=bool(span), machine=(json_output, prometheus).count(True))
    if html and targets and len(targets) > 1:
        raise LanpiError(
            "--html writes the history of one Pi only", next_step="Pass one target", exit_code=ExitCode.BAD_INPUT
        )
    terminal = Terminal(json_output=json_output)
    asking = _OneAtATime(terminal)

    def connect(target: str | None) -> AbstractContextManager[Host]:
        return open_target(target, asking, login)

    named: list[str | None] = [*targets] if targets else [None]
    watched = [
        Watched(
            target or "local",
            partial(connect, target),
            may_be_root=not no_root,
            deep=deep,
            since_seconds=span,
            complete=place_of(target, login).complete,
        )
        for target in named
    ]
    try:
        reports = _watch(watched, interval) if watch else _look(watched)
    finally:
        for each in watched:
            each.close()
    if html:
        _write_page(html, reports[0], terminal)
    else:
        _show(reports, terminal, prometheus=prometheus, drawn=bool(since))
    raise typer.Exit(max((report.exit_status for report in reports), key=ORDER.index))


def _refuse(*, watch: bool, deep: bool, past: bool, machine: int) -> None:
    """Refuse options that exclude each other, before asking a Pi anything."""
    if watch and deep:
        raise LanpiError(
            "--deep and --watch exclude each other",
            next_step="Pass only one of them",
            exit_code=ExitCode.BAD_INPUT,
        )
    if watch and not sys.stdout.isatty():
        raise LanpiError(
            "--watch needs a terminal to draw on",
            next_step="In a script, use --json or --prometheus",
            exit_code=ExitCode.BAD_INPUT,
        )
    if past and watch:
        raise LanpiError(
            "--since and --html do not go with --watch",
            next_step="Leave out --watch",
            exit_code=ExitCode.BAD_INPUT,
        )
    if watch + machine > 1:
        raise LanpiError(
            "--watch, --json and --prometheus exclude each other",
            next_step="Pass only one of them",
            exit_code=ExitCode.BAD_INPUT,
        )


def _show(reports: "Sequence[Report]", terminal: Terminal, *, prometheus: bool, drawn: bool) -> None:
    if terminal.json_output:
        from lanpi.health.status_document import document

        terminal.json(document(reports))
    elif prometheus:
        from lanpi.health.prometheus import exposition

        terminal.raw(exposition(reports))
    elif drawn:
        from lanpi.cli.status_view import charts

        for report in reports:
            terminal.result(charts(report))
    else:
        from lanpi.cli.status_view import one, several

        terminal.result(one(reports[0]) if len(reports) == 1 else several(reports))


def _write_page(path: Path, report: "Report", terminal: Terminal) -> None:
    from lanpi.cli.status_view import ENOUGH, stamp
    from lanpi.health.charts import page, series

    history = report.readings.history if report.readings else None
    samples = history.samples if history else ()
    if len(samples) < ENOUGH:
        raise LanpiError(
            report.summary if report.readings is None else "there is no history yet",
            host=report.target,
            next_step="The Pi records its state every few minutes: try again later",
            exit_code=ExitCode.FAILED,
        )
    drawn = page(report.target, series(samples), samples[0].epoch, samples[-1].epoch, stamp)
    try:
        path.write_text(drawn, "utf-8")
    except OSError as error:
        raise LanpiError(
            f"cannot write {path}: {error.strerror}", next_step="Choose another file", exit_code=ExitCode.BAD_INPUT
        ) from error
    terminal.result(f"Written to {path}")


def _look(watched: "Sequence[Watched]") -> "list[Report]":
    with ThreadPoolExecutor(TOGETHER) as pool:
        looks = pool.map(lambda each: each.look(), watched)
        # Takes a tenth of a second, and there is nothing else to do while the first Pi is asked.
        watched[0].asking.wait(CONNECT_SECONDS)
        import lanpi.cli.status_view
        import lanpi.health.status  # noqa: F401

        return list(looks)


def _watch(watched: "Sequence[Watched]", interval: float) -> "list[Report]":
    """The live screen until Ctrl-C, which is how it ends and no failure; returns the last reports."""
    from rich.live import Live

    from lanpi.cli.status_view import live

    reports = _look(watched)
    pause = threading.Event()
    with (
        contextlib.suppress(KeyboardInterrupt),
        Live(live(watched, reports, interval), screen=True, auto_refresh=False) as screen,
    ):
        # Nobody sets it: a wait that Ctrl-C ends at once.
        while not pause.wait(interval):
            reports = _look(watched)
            screen.update(live(watched, reports, interval), refresh=True)
    return reports


class _OneAtATime(Terminal):
    """Connections are made side by side; their questions come one after the other."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(json_output=terminal.json_output)
        self._lock = threading.Lock()

    def confirm_or_none(self, question: str) -> bool | None:
        with self._lock:
            return super().confirm_or_none(question)

    def ask_secret(self, prompt: str) -> str | None:
        with self._lock:
            return super().ask_secret(prompt)
