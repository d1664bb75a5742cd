"""Every line's colour, from recorded readings and what may happen to them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lanpi.health.status import judge, unreachable
from lanpi.pi.sizes import size
from lanpi.pi.thresholds import TABLE
from lanpi.spans import duration

from .recorded import DATA, readings

CASES: list[dict[str, Any]] = json.loads((DATA / "cases.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case):
    report = judge("pi.local", readings(case["set"]))
    line = {line.id: line for line in report.findings}[case["key"]]
    assert (line.level, case["text"] in line.text) == (case["level"], True), line
    assert report.exit_status == case.get("exit", report.exit_status), report.summary


def test_the_summary_names_the_worst_first():
    report = judge(
        "pi", readings({"clock_synchronised": False, "board/is_container": False, "board/temperature_celsius": 90.0})
    )
    assert report.summary == "Temperature: 90.0 °C; Clock: nothing keeps the clock right"


def test_a_server_that_is_not_there_is_critical():
    there = readings()
    without = tuple(service for service in there.services if service.unit != "ejabberd.service")
    report = judge("pi", type(there)(**{**vars(there), "services": without}))
    assert report.exit_status == 2
    assert "ejabberd: not installed" in report.summary


@pytest.mark.parametrize(("database", "told"), [("postgresql", ["critical"]), ("sqlite", [])])
def test_a_cluster_counts_where_it_is_the_database(database, told):
    there = readings()
    cluster = replace(there.services[0], unit="postgresql@17-main.service", active="inactive", type="forking")
    changed = replace(there, config_text=f"database: {database}\n", services=(*there.services, cluster))
    lines = judge("pi", changed).findings
    assert [line.level for line in lines if line.id == "service:postgresql@17-main.service"] == told


def test_a_pi_that_does_not_answer_is_unknown():
    report = unreachable("pi.local", "it does not answer on port 22")
    assert (report.exit_status, report.verdict, report.findings) == (3, "unknown", ())


@pytest.mark.parametrize("row", TABLE.values(), ids=list(TABLE))
def test_levels_begin_at_their_bounds(row):
    step = -1 if row.falling else 1
    assert row.level(row.warning) == ("critical" if row.warning == row.critical else "warning")
    assert row.level(row.warning - step) == "ok"
    assert row.level(None) == "unknown"
    if row.critical is not None:
        assert row.level(row.critical) == "critical"
        assert row.level(row.critical + step) == "critical"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "not available"), (0, "0 B"), (2048, "2 kB"), (5_400_000, "5.1 MB"), (3e12, "2794 GB")],
)
def test_sizes(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (400_000, "5 days")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
