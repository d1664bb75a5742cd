"""Programs' and people's views of the same reports, and looking again and again."""

import io
import json
import re
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from lanpi.cli import status as command
from lanpi.cli.status_view import live, one, several
from lanpi.deploy.proof import Proof
from lanpi.errors import ExitCode, LanpiError
from lanpi.health import deep
from lanpi.health.deep import proof_lines
from lanpi.health.prometheus import exposition
from lanpi.health.status import judge, unreachable
from lanpi.health.status_document import document
from lanpi.health.watch import Watched, sparkline
from lanpi.hosts.base import Completed
from lanpi.pi.thresholds import TABLE

from .recorded import readings

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "status.md"
HOT = {"board/temperature_celsius": 81.5}


def shown(what) -> str:
    console = Console(width=100, no_color=True, record=True, file=io.StringIO())
    console.print(what)
    return console.export_text()


def test_one_target_shows_the_verdict_first():
    text = shown(one(judge("pi.local", readings(HOT))))
    assert text.startswith("✗ pi.local: critical: Temperature: 81.5 °C\n")
    assert "  ✗ Temperature        81.5 °C\n      Give the Pi more air, or add a heat sink or a fan\n" in text


def test_several_targets_have_a_row_each():
    text = shown(several([judge("a", readings()), judge("b", readings(HOT)), unreachable("c", "is off")]))
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [["a", "ok"], ["b", "critical"], ["c", "unknown"]]


def test_the_document_is_the_documented_one():
    found = json.loads(json.dumps(document([judge("pi", readings()), unreachable("x", "why")])))
    assert found["schema_version"] == 1
    assert found["targets"][1] == {
        "target": "x", "verdict": "unknown", "exit_status": 3, "summary": "why", "lines": [], "readings": None
    }  # fmt: skip
    page = PAGE.read_text("utf-8")
    first = found["targets"][0]
    assert "config_text" not in first["readings"]
    for key in {*first, *first["lines"][0], *first["readings"], *first["readings"]["board"]}:
        assert f"`{key}`" in page, f"{key} is not in {PAGE.name}"


def test_the_page_has_the_thresholds():
    page = PAGE.read_text("utf-8")
    for row in TABLE.values():
        critical = "never" if row.critical is None else f"{row.critical:g}"
        unit = f" {row.unit}" if row.unit else ""
        assert f"| `{row.key}` | {row.warning:g}{unit} | {critical}" in page, row.key


def test_the_exposition_format():
    text = exposition([judge('p"i', readings(HOT)), unreachable("off", "why")])
    assert '# TYPE lanpi_status gauge\nlanpi_status{target="p\\"i"} 2\nlanpi_status{target="off"} 3\n' in text
    assert 'lanpi_temperature_celsius{target="p\\"i"} 81.5\n' in text
    assert 'lanpi_service_active{target="p\\"i",unit="ejabberd.service"} 1\n' in text
    sample = re.compile(r'^[a-z_0-9]+\{([a-z]+="(\\.|[^"\\])*",?)+\} -?[0-9.e+]+$')
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.match(line), line


def test_a_row_of_blocks():
    assert sparkline([0, 7, None, 3.5]) == "▁█ ▅"
    assert sparkline([5, 5]) == "▁▁"
    assert sparkline([None]) == ""


class Pi:
    """A host that is root; its own check ends as it is told."""

    can_be_root = True
    direct = False
    name = "pi"

    def __init__(self, check="", error="", has_check=True):
        self.check, self.error, self.has_check = check, error, has_check

    def run(self, argv, *, root, check, timeout_seconds=None):
        if argv == ["test", "-x", "/usr/lib/lanpi/check"]:
            return Completed("test", int(not self.has_check), b"", b"")
        assert argv == ["/usr/lib/lanpi/check", "check"] and root and self.has_check
        return Completed("check", 1 if self.error else 0, self.check.encode(), self.error.encode())


@pytest.fixture
def flaky(monkeypatch):
    """A Pi whose looks end as the list says, and the connections that were made to it."""
    endings: list = []
    connections: list[str] = []

    @contextmanager
    def connect():
        connections.append("opened")
        yield Pi()
        connections.append("closed")

    def read(host, *, root, since_seconds):
        ending = endings.pop(0)
        if isinstance(ending, Exception):
            raise ending
        return ending

    monkeypatch.setattr("lanpi.health.read.read_status", read)
    return Watched("pi.local", connect), endings, connections


def test_a_lost_connection_is_made_anew(flaky):
    watched, endings, connections = flaky
    lost = LanpiError("the connection broke", exit_code=ExitCode.UNREACHABLE)
    endings += [readings(), lost, readings(HOT)]
    assert [watched.look().exit_status for _ in range(3)] == [0, 3, 2]
    assert connections == ["opened", "closed", "opened"]
    assert len(watched.recent) == 2
    watched.close()
    assert connections[-1] == "closed"


def test_the_live_screen_keeps_what_was_seen_last(flaky):
    watched, endings, _ = flaky
    endings += [readings(), LanpiError("the connection broke", exit_code=ExitCode.UNREACHABLE)]
    watched.look()
    text = shown(live([watched], [watched.look()], 5))
    assert text.splitlines()[1:3] == [
        "? pi.local: unknown: the connection broke",
        "  Trying again; the last known state is below",
    ]
    assert text.index("ejabberd MB") < text.index("ejabberd           running for 2 days")


def test_the_worst_of_several_targets_decides():
    statuses = [(0, 1), (1, 3), (3, 2), (0, 0)]
    assert [max(pair, key=command.ORDER.index) for pair in statuses] == [1, 3, 2, 0]


def test_a_message_that_passes_is_shown_with_its_times():
    proof = Proof(0.4, 1.2, 0.05, "SCRAM-SHA-256", "the Pi")
    report = judge("pi", readings(), proof_lines(proof))
    assert report.summary == "Delivery: 1200 ms"
    assert "  ✓ Login              400 ms, SCRAM-SHA-256\n" in shown(one(report))


def deep_lines(host, changes=None):
    return {line.id: (line.level, line.text) for line in deep.deep_lines(host, readings(changes))}


def test_the_pis_own_accounts_pass_a_message(monkeypatch):
    found = deep_lines(Pi('{"passed":1,"login":0.1,"delivery":0.01,"archive":0.02,"websocket":0.2,"web":3}'))
    assert found["deep"] == ("ok", "passed, on the Pi")
    assert found["deep:websocket"] == ("ok", "200 ms")
    assert found["deep:web"] == ("warning", "3000 ms")
    assert "deep:web" not in deep_lines(Pi('{"passed":1,"websocket":0.2}')), "no page is served"


def test_a_message_that_does_not_pass_is_critical_with_the_parts_that_did():
    found = deep_lines(Pi('{"passed":0,"error":"no WebSocket","login":0.1}'))
    assert found == {"deep": ("critical", "no WebSocket"), "deep:login": ("ok", "100 ms")}
    broken = deep_lines(Pi(error="Traceback\nModuleNotFoundError: x"))
    assert broken == {"deep": ("critical", "the check did not run: ModuleNotFoundError: x")}
    unprivileged = deep_lines(Pi(), {"is_root": False})
    assert [level for level, _ in unprivileged.values()] == ["unknown"]


def test_a_pi_without_checks_gets_accounts_for_it(monkeypatch):
    proofs = [Proof(0.4, 0.1, 0.05, "SCRAM-SHA-256", "here")]
    monkeypatch.setattr(deep, "prove", lambda host, server: proofs.pop())
    found = deep_lines(Pi(has_check=False), {"history": None})
    assert found["deep"] == ("ok", "passed, sent from here")
    assert found["deep:login"] == ("ok", "400 ms, SCRAM-SHA-256")
    assert not proofs

    def fail(host, server):
        raise LanpiError("no message got through", next_step="lanpi doctor")

    monkeypatch.setattr(deep, "prove", fail)
    assert deep_lines(Pi(has_check=False), {"history": None}) == {"deep": ("critical", "no message got through")}


def test_from_here_the_way_to_the_login_is_tried(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    line = deep.reach_line("127.0.0.1", "pi.local", None, port)
    assert (line.id, line.level) == ("deep:reach", "critical")
    assert line.text.startswith(f"not reachable: no connection to 127.0.0.1:{port}")


def test_only_one_kind_of_output_at_a_time():
    from lanpi.cli.main import run

    assert run(["status", "--json", "--prometheus"]) == ExitCode.BAD_INPUT
    assert run(["status", "--watch", "--deep"]) == ExitCode.BAD_INPUT
    assert run(["status", "--since", "yesterday"]) == ExitCode.BAD_INPUT
    assert run(["status", "one", "two", "--html", "page.html"]) == ExitCode.BAD_INPUT
    # There is no terminal here.
    assert run(["status", "--watch"]) == ExitCode.BAD_INPUT
