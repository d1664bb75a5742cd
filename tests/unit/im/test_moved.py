"""A Pi whose server has moved out does not start it again by accident, and says so."""

import json
from types import SimpleNamespace

import pytest

from lanpi.errors import LanpiError
from lanpi.facts.model import MovedOut
from lanpi.flows import tune as tune_flow
from lanpi.hosts.base import Completed
from lanpi.im.admin import Server
from lanpi.im.moved import read_moved
from lanpi.pi.read import moved as reading

MOVED = MovedOut("2026-11-24T10:00:00+00:00", "doc.local", "192.0.2.9")


class Pi:
    name = "pi@old"
    can_be_root = True

    def __init__(self, files=None):
        self.files = files or {}

    def run(self, argv, **_):
        return Completed(argv[0], 1, b"", b"no answer")

    def get(self, path, *, root=False):
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(path) from None


class Report:
    def begin(self, step):
        pass

    def end(self, detail=""):
        pass


def test_tune_refuses_too(monkeypatch):
    monkeypatch.setattr(tune_flow, "read_facts", lambda *_, **__: SimpleNamespace(moved=MOVED))
    with pytest.raises(LanpiError, match="moved to"):
        tune_flow.propose(Pi(), tune_flow.Change(people=3))


def test_commands_about_people_say_where_the_server_is():
    note = json.dumps({"when": MOVED.when, "domain": MOVED.domain, "to": MOVED.to}).encode()
    with pytest.raises(LanpiError, match=r"doc\.local moved to 192\.0\.2\.9"):
        Server(Pi({reading.MARKER: note}), "doc.local").accounts()
    with pytest.raises(LanpiError, match="ejabberd refused"):
        Server(Pi(), "doc.local").accounts()


def test_a_damaged_note_still_says_that_it_has_moved():
    assert read_moved(Pi({reading.MARKER: b"{"})) == MovedOut("", "", "")
    source = SimpleNamespace(read_text={reading.MARKER: "{"}.get)
    assert reading.moved(source) == {"when": "", "domain": "", "to": ""}
    assert reading.moved(SimpleNamespace(read_text={}.get)) is None
