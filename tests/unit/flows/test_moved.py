"""What the flows do on a Pi whose server has moved to another one."""

from dataclasses import replace
from typing import Any

import pytest

from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts, MovedOut
from lanpi.flows import groundwork
from lanpi.flows import install as module
from lanpi.flows.moved import bring_back, require_here
from unit.tuning.machines import machine

MOVED = MovedOut("2026-11-24T10:00:00+00:00", "home.local", "pi@new.local")


class Pi:
    name = "old"

    def __init__(self) -> None:
        self.ran: list[list[str]] = []

    def require_root(self) -> None:
        pass

    def persist(self, do: Any, report: Any) -> Any:
        return do()

    def run(self, argv: list[str], **_: Any) -> None:
        self.ran.append(argv)


class Quiet:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def moved_out() -> Facts:
    return replace(machine(1024), moved=MOVED)


def test_an_install_is_refused_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groundwork, "read_facts", lambda *_, **__: moved_out())
    pi: Any = Pi()
    for options in (module.Options(), module.Options(check=True)):
        with pytest.raises(LanpiError, match=r"has moved to pi@new\.local on 2026-11-24") as refused:
            module.install(pi, lambda _: Config(), options, Quiet())
        assert refused.value.exit_code is ExitCode.BLOCKED
        assert "lanpi install --force" in (refused.value.next_step or "")
    assert pi.ran == []


def test_a_damaged_note_counts_as_a_move() -> None:
    with pytest.raises(LanpiError, match="has moved to another Pi"):
        require_here(Pi(), replace(machine(1024), moved=MovedOut("", "", "")))  # type: ignore[arg-type]


def test_the_note_goes_when_the_server_comes_back() -> None:
    pi: Any = Pi()
    bring_back(pi, moved_out())
    assert pi.ran == [["rm", "-f", "/var/lib/lanpi/moved.json"]]
    bring_back(pi, machine(1024))
    assert len(pi.ran) == 1
