"""The backup program's entry point."""

import json
import os
import sys

import pytest


@pytest.fixture
def entry(program, monkeypatch):
    """The program, as root runs it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "umask", lambda mask: 0)
    return program("main")


def test_a_mistake_is_told_as_such(entry, monkeypatch, capsys):
    def broken(reporter, options):
        raise KeyError("host")

    monkeypatch.setitem(entry.VERBS, "status", broken)
    monkeypatch.setattr(sys, "argv", ["backup", "status"])
    assert entry.main() == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["event"], told["what"], told["kind"]) == ("error", "internal error: KeyError('host')", "failed")
    assert "in broken" in told["traceback"]


@pytest.mark.parametrize(("kind", "gone"), [("sqlite", []), ("postgresql", ["lanpi_part", "lanpi_drill"])])
def test_what_a_power_cut_left_goes_with_the_weekly_care(program, monkeypatch, kind, gone):
    work, postgres, dropped = program("work"), program("postgres"), []
    monkeypatch.setattr(work, "manifest", lambda: {"items": [{"kind": "files"}, {"kind": kind}]})
    monkeypatch.setattr(postgres, "drop", dropped.append)
    work.forget_leftovers()
    assert dropped == gone
