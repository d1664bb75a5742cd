"""The figures that a Pi serves, and the dashboard that draws them."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from lanpi.config.model import Config
from lanpi.deploy.ports import declared_ports, openings
from lanpi.health.read import readings_from_json
from lanpi.pi.metrics.exposition import HELP, exposition, samples

ROOT = Path(__file__).parents[4]
VIRTUAL = json.loads((ROOT / "tests/data/status/virtual.json").read_text("utf-8"))
DASHBOARD = json.loads((ROOT / "docs/grafana/lanpi.json").read_text("utf-8"))
NAME = re.compile(r"\b((?:lanpi|node)_\w+)")


def expressions():
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return panels + [variable["query"]["query"] for variable in DASHBOARD["templating"]["list"][1:]]


def test_every_figure_that_the_dashboard_draws_is_there():
    drawn = {name for text in expressions() for name in NAME.findall(text)}
    assert len(drawn) > 20
    # The verdict is made where lanpi runs, not on the Pi.
    served = set(HELP) - {"lanpi_status", "lanpi_check_level"}
    assert {name for name in drawn if name.startswith("lanpi_")} <= served
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_how_to_names_every_figure():
    text = (ROOT / "docs/how-to/metrics.md").read_text("utf-8")
    assert [name for name in HELP if f"`{name}`" not in text] == []


def test_probe_and_operator_give_the_same_figures():
    plain = exposition(samples(VIRTUAL, {}))
    assert plain == exposition(samples(asdict(readings_from_json(json.dumps(VIRTUAL), 0.0)), {}))
    lines = [line for line in plain.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r'lanpi_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+]+', line) for line in lines)
    assert len(lines) > 20


def test_a_label_cannot_break_the_format():
    [line] = exposition([("lanpi_sessions", {"target": 'a"b\\c\nd'}, 1.0)]).splitlines()[2:]
    assert line == r'lanpi_sessions{target="a\"b\\c\nd"} 1'


def test_an_unknown_name_is_an_error():
    with pytest.raises(KeyError):
        exposition([("lanpi_typo", {}, 1.0)])


def test_the_port_is_open_only_with_metrics_and_only_at_home():
    port = declared_ports()["metrics"].first
    assert port not in {opening.first for opening in openings(Config())}
    [opening] = [each for each in openings(Config(metrics=True)) if each.first == port]
    assert opening.local
