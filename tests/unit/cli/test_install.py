"""What install asks before it begins, and what it does not."""

import sys

import pytest

from lanpi.cli import install as module
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError


class Typed:
    """A terminal's input."""

    def __init__(self, *lines):
        self.lines = list(lines)

    def isatty(self):
        return True

    def readline(self):
        return self.lines.pop(0) + "\n"


@pytest.fixture
def typing(monkeypatch):
    return lambda *lines: monkeypatch.setattr(sys, "stdin", Typed(*lines))


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setattr("lanpi.paths.PI_INSTALLED", str(tmp_path / "installed.json"))


def test_the_proposed_domain_is_taken_with_the_enter_key(typing, capsys):
    typing("")
    assert module._choose_domain(Terminal(), "raspberrypi.local") == "raspberrypi.local"
    said = capsys.readouterr().err
    assert "anna@raspberrypi.local. It cannot be changed later." in said
    assert said.endswith("Domain [raspberrypi.local] ")


def test_what_is_no_domain_is_asked_for_again(typing, capsys):
    typing("school", "Chat.School.example")
    assert module._choose_domain(Terminal(), "pi.local") == "chat.school.example"
    assert "school.local" in capsys.readouterr().err


def test_with_yes_or_without_a_terminal_the_proposal_is_taken_unasked(typing, monkeypatch):
    typing()
    assert module._choose_domain(Terminal(yes=True), "pi.local") is None
    monkeypatch.undo()
    assert module._choose_domain(Terminal(), "pi.local") is None


def test_a_forgotten_target_is_asked_about(typing):
    typing("n")
    with pytest.raises(LanpiError, match="lanpi install USER@HOST") as caught:
        module._confirm_this_machine(Terminal())
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    typing("y")
    module._confirm_this_machine(Terminal())


def test_without_a_terminal_this_machine_needs_a_yes():
    with pytest.raises(LanpiError, match="--yes"):
        module._confirm_this_machine(Terminal())
    module._confirm_this_machine(Terminal(yes=True))


def test_where_lanpi_is_already_nothing_is_asked(tmp_path):
    (tmp_path / "installed.json").write_text("{}")
    module._confirm_this_machine(Terminal())
