"""The history drawn."""

import re
from xml.etree import ElementTree as Xml

import pytest

from lanpi.errors import LanpiError
from lanpi.health.charts import BLOCKS, bars, columns, page, series
from lanpi.pi.checks.ring import Sample
from lanpi.spans import parse_span

MEGABYTE = 1024 * 1024
SAMPLES = [
    Sample(1000 + 300 * n, 1, int(n != 2), sessions=n, memory_available=500 * MEGABYTE, disk_written=n * MEGABYTE)
    for n in range(5)
]


def titled(title):
    return next(one for one in series(SAMPLES) if one.title.startswith(title))


def test_only_what_was_known_is_drawn():
    titles = {one.title for one in series(SAMPLES)}
    assert titles == {"Checks passed, %", "Memory available, MB", "Sessions", "Written to disk, MB an hour"}
    assert series([]) == []


def test_the_figures_are_those_of_the_samples():
    assert [value for _, value in titled("Checks").points] == [100, 100, 0, 100, 100]
    assert titled("Memory").known == [500] * 5
    assert titled("Written").known == pytest.approx([12] * 4), "a megabyte in five minutes"


def test_a_column_is_the_mean_of_its_time_and_a_gap_stays_a_gap():
    one = titled("Sessions")
    assert columns(one, 1000, 2200, 2) == [0.5, 3.0]
    assert columns(one, 1000, 5800, 4) == [pytest.approx(1.5), pytest.approx(4.0), None, None]


def test_bars_reach_from_nothing_to_the_highest():
    top, bottom = bars([0.0, 8.0, 16.0, None], height=2)
    assert (top, bottom) == ("  █ ", "▁██ ")
    assert all(cell in BLOCKS for cell in top + bottom)


def test_the_page_loads_nothing_from_elsewhere_and_is_well_formed():
    text = page("pi & co", series(SAMPLES), 1000, 2200, str)
    assert "pi &amp; co" in text
    assert not re.search(r"https?:|//|<script|url\(|@import", text)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.S):
        assert Xml.fromstring(drawing).get("role") == "img"
    assert text.count("<svg") == 4


@pytest.mark.parametrize(
    ("span", "seconds"), [("90m", 5400), ("24h", 86400), ("7d", 604800), ("2w", 1209600), ("45s", 45)]
)
def test_spans(span, seconds):
    assert parse_span(span) == seconds


@pytest.mark.parametrize("span", ["", "24", "h", "0h", "1y", "-1h", "99999d"])
def test_what_is_no_span_is_refused(span):
    with pytest.raises(LanpiError, match="not a valid time span"):
        parse_span(span)
