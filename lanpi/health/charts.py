"""The history as series to draw, on a terminal or as a page; pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from lanpi.pi.checks.ring import Sample, written
from lanpi.pi.sizes import MB

BLOCKS = " ▁▂▃▄▅▆▇█"
WIDTH, HEIGHT = 64, 4
TICKS = 4
_PAGE_WIDTH, _PAGE_HEIGHT, _MARGIN = 720, 120, 4


@dataclass(frozen=True)
class Series:
    """One figure over time.

    Attributes:
        title: with its unit.
        points: moment in seconds since 1970, and value; None where it was not known.
    """

    title: str
    points: tuple[tuple[float, float | None], ...]

    @property
    def known(self) -> list[float]:
        """The values that are known."""
        return [value for _, value in self.points if value is not None]


def _plain(name: str, factor: float = 1.0) -> Callable[[Sequence[Sample]], list[float | None]]:
    def take(samples: Sequence[Sample]) -> list[float | None]:
        values = [getattr(sample, name) for sample in samples]
        return [None if value is None else value * factor for value in values]

    return take


def _written(name: str) -> Callable[[Sequence[Sample]], list[float | None]]:
    """Megabytes an hour between one sample and the next; the counter starts again at each boot or start."""

    def take(samples: Sequence[Sample]) -> list[float | None]:
        found: list[float | None] = [None]
        for before, after in pairwise(samples):
            grown = written((before, after), name)
            hours = (after.epoch - before.epoch) / 3600
            found.append(None if grown is None or hours <= 0 else grown / MB / hours)
        return found

    return take


def _messages(samples: Sequence[Sample]) -> list[float | None]:
    return [None if sample.sent is None or not sample.span else 60 * sample.sent / sample.span for sample in samples]


def _passed_percent(samples: Sequence[Sample]) -> list[float | None]:
    return [100 * sample.passed / sample.checks if sample.checks else None for sample in samples]


_SERIES: dict[str, Callable[[Sequence[Sample]], list[float | None]]] = {
    "Checks passed, %": _passed_percent,
    "Memory available, MB": _plain("memory_available", 1 / MB),
    "Swap used, MB": _plain("swap_used", 1 / MB),
    "Sessions": _plain("sessions"),
    "Messages a minute": _messages,
    "Delivery, ms": _plain("delivery", 1000),
    "Login, ms": _plain("login", 1000),
    "Load": _plain("load"),
    "Temperature, °C": _plain("temperature"),
    "Written to disk, MB an hour": _written("disk_written"),
    "Written by ejabberd, MB an hour": _written("ejabberd_written"),
    "Written by PostgreSQL, MB an hour": _written("postgresql_written"),
}


def series(samples: Sequence[Sample]) -> list[Series]:
    """All figures that were known at some time."""
    drawn = [
        Series(title, tuple(zip((sample.epoch for sample in samples), take(samples), strict=True)))
        for title, take in _SERIES.items()
        if samples
    ]
    return [one for one in drawn if one.known]


def columns(one: Series, began: float, ended: float, width: int = WIDTH) -> list[float | None]:
    """The mean over each column's time; None where there was no value, for example while the Pi was off."""
    span = max(ended - began, 1.0)
    cells: list[list[float]] = [[] for _ in range(width)]
    for epoch, value in one.points:
        if value is not None and began <= epoch <= ended:
            cells[min(int((epoch - began) / span * width), width - 1)].append(value)
    return [sum(cell) / len(cell) if cell else None for cell in cells]


def bars(values: Sequence[float | None], height: int = HEIGHT) -> list[str]:
    """Rows of blocks, the highest first, from zero or the lowest value up to the highest."""
    known = [value for value in values if value is not None]
    top, bottom = max(known, default=0.0), min(0.0, min(known, default=0.0))
    span = top - bottom or 1.0
    steps = height * (len(BLOCKS) - 1)
    filled = [None if value is None else max(1, round((value - bottom) / span * steps)) for value in values]
    rows = []
    for row in reversed(range(height)):
        base = row * (len(BLOCKS) - 1)
        cells = (0 if level is None else min(max(level - base, 0), len(BLOCKS) - 1) for level in filled)
        rows.append("".join(BLOCKS[cell] for cell in cells))
    return rows


def figure(value: float) -> str:
    """A value for people, with three significant digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def page(target: str, all_series: Sequence[Series], began: float, ended: float, stamps: Callable[[float], str]) -> str:
    """A self-contained page: no script, style or picture from elsewhere.

    Args:
        target: what the page is about.
        all_series: to draw.
        began, ended: of the time that is drawn, in seconds since 1970.
        stamps: how a moment is written.
    """
    parts = [_plot(one, began, ended, stamps) for one in all_series]
    title = escape(f"lanpi: {target}, {stamps(began)} to {stamps(ended)}")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>'
        "body{font:16px sans-serif;max-width:48em;margin:2em auto;padding:0 1em;color:#222;background:#fff}"
        "svg{width:100%;height:auto;background:#f4f4f4}h2{font-size:1em;margin:1.5em 0 .3em}"
        "polyline{fill:none;stroke:#0a6;stroke-width:1.5}line{stroke:#999;stroke-width:.3}"
        "text{font:11px sans-serif;fill:#555}"
        "@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}svg{background:#222}text{fill:#aaa}}"
        f"</style></head><body><h1>{title}</h1>\n{''.join(parts)}</body></html>\n"
    )


def _plot(one: Series, began: float, ended: float, stamps: Callable[[float], str]) -> str:
    top = max(one.known) or 1.0
    bottom = min(0.0, *one.known)
    span, length = top - bottom or 1.0, max(ended - began, 1.0)

    def place(epoch: float, value: float) -> str:
        x = _MARGIN + (epoch - began) / length * (_PAGE_WIDTH - 2 * _MARGIN)
        y = _PAGE_HEIGHT - _MARGIN - (value - bottom) / span * (_PAGE_HEIGHT - 2 * _MARGIN)
        return f"{x:.1f},{y:.1f}"

    lines: list[list[str]] = [[]]
    for epoch, value in one.points:
        if value is None:
            lines.append([])  # a gap in the line where nothing was known
        else:
            lines[-1].append(place(epoch, value))
    drawn = "".join(f'<polyline points="{" ".join(line)}"/>' for line in lines if line)
    low, high, last = (figure(value) for value in (min(one.known), max(one.known), one.known[-1]))
    label = escape(f"{one.title}: {low} to {high}, {last} at the end")
    return (
        f"<h2>{label}</h2>"
        f'<svg viewBox="0 0 {_PAGE_WIDTH} {_PAGE_HEIGHT + 16}" role="img" aria-label="{label}">'
        f"{_axes(top, bottom, began, length, stamps)}{drawn}</svg>\n"
    )


def _axes(top: float, bottom: float, began: float, length: float, stamps: Callable[[float], str]) -> str:
    """The highest and lowest value at the left, and moments below, each with a line."""
    parts = [
        f'<text x="{_MARGIN}" y="{_MARGIN + 9}">{figure(top)}</text>',
        f'<text x="{_MARGIN}" y="{_PAGE_HEIGHT - _MARGIN}">{figure(bottom)}</text>',
    ]
    for tick in range(TICKS + 1):
        x = _MARGIN + tick / TICKS * (_PAGE_WIDTH - 2 * _MARGIN)
        anchor = "start" if tick == 0 else "end" if tick == TICKS else "middle"
        parts.append(f'<line x1="{x:.0f}" y1="0" x2="{x:.0f}" y2="{_PAGE_HEIGHT}"/>')
        parts.append(
            f'<text x="{x:.0f}" y="{_PAGE_HEIGHT + 12}" text-anchor="{anchor}">'
            f"{escape(stamps(began + length * tick / TICKS))}</text>"
        )
    return "".join(parts)
