"""The drill's judgement: when a second server may be started, and what counts as proof."""

import json
import sqlite3
import types

import pytest


class Notes:
    def __init__(self):
        self.said = []

    def say(self, event, **values):
        self.said.append(values.get("text", event))

    def step(self, text):
        pass


@pytest.fixture
def drill(program, monkeypatch, tmp_path):
    common = program("common")
    module = program("drill")
    monkeypatch.setattr(module, "MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(module, "DRILL", tmp_path / "drill")
    monkeypatch.setattr(module, "SPOOL", tmp_path / "drill/spool")
    monkeypatch.setattr(module, "CONFIGURATION", tmp_path / "drill.yml")
    monkeypatch.setattr(module.shutil, "chown", lambda *_: None)
    monkeypatch.setattr(module, "versions_differ", lambda content: False)
    module.Problem = common.Problem
    (tmp_path / "drill.yml").write_text("hosts: []\n")
    return module


def memory(drill, available_mb):
    drill.MEMORY.write_text(f"MemTotal: 500000 kB\nMemFree: 1000 kB\nMemAvailable:  {available_mb * 1024} kB\n")


def test_a_small_pi_is_refused_with_the_figures(drill):
    memory(drill, 100)
    with pytest.raises(drill.Problem, match="needs 192 MB of memory; only 100 MB are available") as raised:
        drill._has_memory(Notes(), required=True)
    assert raised.value.kind == "blocked"
    assert "--compare-only" in raised.value.next_step


def test_the_weekly_drill_of_a_small_pi_only_compares_and_says_so(drill):
    memory(drill, 191)
    notes = Notes()
    assert drill._has_memory(notes, required=False) is False
    assert notes.said[0].endswith("the drill only compares")
    memory(drill, 192)
    assert drill._has_memory(notes, required=True) is True


@pytest.fixture
def content(drill, program):
    """A snapshot with one account, restored."""
    path = drill.DRILL / "databases/ejabberd.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE users (username text)")
        database.execute("CREATE TABLE archive (txt text)")
        database.execute("INSERT INTO users VALUES ('anna')")
        database.execute("INSERT INTO archive VALUES ('hello')")
    database.close()
    with program("content").resting(path) as database:
        tables, hashes = program("content").tables(database), program("content").hashes(database)
    entry = {"kind": "sqlite", "file": "databases/ejabberd.sqlite", "path": "/var/lib/ejabberd/ejabberd.db",
             "bytes": 1, "tables": tables, "hashes": hashes}  # fmt: skip
    return {"databases": [entry], "files": {}, "items": [], "folders": {}, "versions": {}, "made": "", "hostname": "",
            "domain": "home.local", "mnesia": None}  # fmt: skip


def answers(drill, monkeypatch, *events, stderr="", meanwhile=""):
    """What the second server's unit says, and what it does to the data."""

    def run(argv, **_):
        if meanwhile:
            with sqlite3.connect(drill.SPOOL / "ejabberd.db") as database:
                database.execute(meanwhile)
            database.close()
        return types.SimpleNamespace(stdout="".join(json.dumps(event) + "\n" for event in events), stderr=stderr)

    monkeypatch.setattr(drill.subprocess, "run", run)


def test_a_server_that_serves_everybody_and_changes_nothing_is_proof(drill, content, monkeypatch):
    answers(drill, monkeypatch, {"event": "result", "people": 1})
    assert drill._serve(content) == []


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"event": "result", "people": 0}, "the second server serves 0 people instead of 1"),
        (
            {"event": "error", "what": "nobody can log in to the second server"},
            "nobody can log in to the second server",
        ),
    ],
)
def test_less_is_none(drill, content, monkeypatch, event, said):
    answers(drill, monkeypatch, event)
    assert drill._serve(content) == [said]


def test_a_server_that_is_cut_off_is_none(drill, content, monkeypatch):
    answers(drill, monkeypatch, stderr="Out of memory\n")
    with pytest.raises(drill.Problem, match="stopped early: Out of memory"):
        drill._serve(content)


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        ("DELETE FROM archive", "after the second server ran: table archive has 0 rows instead of 1"),
        ("UPDATE archive SET txt = ''", "after the second server ran: table archive has different rows"),
    ],
)
def test_a_server_that_changes_what_it_serves_is_found(drill, content, monkeypatch, meanwhile, said):
    answers(drill, monkeypatch, {"event": "result", "people": 1}, meanwhile=meanwhile)
    assert drill._serve(content)[0] == said
