"""How status looks: one target in full, several in a table, the live screen."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lanpi.cli.terminal import MARKS, STYLES, whole
from lanpi.health.charts import bars, columns, figure, series
from lanpi.health.readings import Readings
from lanpi.health.status import Report, section_of
from lanpi.health.watch import Watched, sparkline, trends

ENOUGH = 2
"""Samples that make a line."""


def one(report: Report) -> RenderableType:
    """Everything about one target."""
    return Group(_headline(report), *_lines(report))


def _lines(report: Report) -> list[RenderableType]:
    parts: list[RenderableType] = []
    section = ""
    for finding in report.findings:
        if section_of(finding) != section:
            section = section_of(finding)
            parts.append(Text(f"\n{section}", style="bold"))
        text = Text.assemble(
            (f"  {MARKS[finding.level]} ", STYLES[finding.level]),
            (f"{finding.label}  ".ljust(19)),
            (finding.text, "dim" if finding.level == "unknown" else ""),
        )
        parts.append(text)
        if finding.fix and finding.is_bad:
            parts.append(whole(Text(f"      {finding.fix}", style="dim")))
    return parts


def _headline(report: Report) -> Text:
    return Text.assemble(
        (f"{MARKS[report.verdict]} ", STYLES[report.verdict]),
        (report.target, "bold"),
        ": ",
        (report.verdict, STYLES[report.verdict]),
        f": {report.summary}",
    )


def charts(report: Report) -> RenderableType:
    """The history of one target, figure by figure."""
    history = report.readings.history if report.readings else None
    samples = history.samples if history else ()
    if len(samples) < ENOUGH:
        text = "there is no history yet: the Pi records its state every few minutes"
        return Text.assemble((report.target, "bold"), f": {report.summary if report.readings is None else text}")
    began, ended = samples[0].epoch, samples[-1].epoch
    parts: list[RenderableType] = [Text.assemble((report.target, "bold"), f": {stamp(began)} to {stamp(ended)}")]
    for one in series(samples):
        low, high, last = (figure(value) for value in (min(one.known), max(one.known), one.known[-1]))
        parts.append(Text.assemble(f"\n{one.title}  ", (f"{low} to {high}, now {last}", "dim")))
        parts += [Text(f"  {row}", style="cyan") for row in bars(columns(one, began, ended))]
    return Group(*parts)


def stamp(epoch: float) -> str:
    """A moment in this machine's time zone."""
    return datetime.fromtimestamp(epoch).astimezone().strftime("%d %b %H:%M")


def several(reports: Sequence[Report]) -> RenderableType:
    """A row for each target."""
    table = Table("Target", "Status", "Online", "Load", "Memory", "Disk", "°C", "Summary", box=None)
    for report in reports:
        levels = {finding.id: finding.level for finding in report.findings}
        table.add_row(
            Text(report.target),
            Text(report.verdict, style=STYLES[report.verdict]),
            *(
                Text(figure, style=STYLES[levels[key]] if key in levels and figure else "")
                for key, figure in _figures(report.readings).items()
            ),
            Text(report.summary),
        )
    return table


def _figures(readings: Readings | None) -> dict[str, str]:
    """The cells of a row by the key of the line that colours them; "" for what is not known."""
    found = dict.fromkeys(("people", "load", "memory", "disk", "temperature"), "")
    if readings is None:
        return found
    board = readings.board
    if readings.people and readings.people.online is not None:
        found["people"] = str(readings.people.online)
    if board.load:
        found["load"] = f"{board.load[0]:.2f}"
    if board.memory_available_bytes is not None and board.memory_total_bytes:
        found["memory"] = f"{100 * (1 - board.memory_available_bytes / board.memory_total_bytes):.0f} %"
    if board.disk_total_bytes:
        found["disk"] = f"{100 * (1 - board.disk_free_bytes / board.disk_total_bytes):.0f} %"
    if board.temperature_celsius is not None:
        found["temperature"] = f"{board.temperature_celsius:.0f}"
    return found


def live(watched: Sequence[Watched], reports: Sequence[Report], interval_seconds: float) -> RenderableType:
    """The screen of --watch: the newest that is known, and how it came there.

    What moves comes first, for a small terminal shows only the beginning.
    """
    parts: list[RenderableType] = [Text(f"Updated every {interval_seconds:g} s; press Ctrl-C to stop", style="dim")]
    for target, report in zip(watched, reports, strict=True):
        parts.append(_headline(report))
        shown = report
        if report.readings is None:
            parts.append(Text("  Trying again; the last known state is below" if target.last else "  Trying again"))
            shown = target.last or report
        for label, values in trends(list(target.recent)).items():
            now = values[-1]
            figure = "" if now is None else f"{now:.1f}".removesuffix(".0")
            parts.append(Text.assemble(f"    {label:<16}", (sparkline(values), "cyan"), f" {figure}"))
        if len(watched) == 1:
            parts += _lines(shown)
    return Group(*parts)
