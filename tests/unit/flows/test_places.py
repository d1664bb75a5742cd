"""Where backups go: what is tried before it is applied, and how the settings change."""

from dataclasses import replace
from typing import Any

import pytest

from lanpi.config.load import effective
from lanpi.errors import ExitCode, LanpiError
from lanpi.flows import places as module
from lanpi.flows.places import adding, removing, require_installed, try_new
from lanpi.hosts.base import Completed
from unit.tuning.machines import machine

STICK = "usb:1A2B-3C4D"
TEXT = f"backup:\n  repositories: [/var/backups/lanpi, {STICK}]\n"


class Program:
    """What is tried on the Pi; ``fails`` names a place that does not work."""

    def __init__(self) -> None:
        self.tried: list[tuple[str, ...]] = []
        self.fails = ""

    def run(self, *arguments: str, confined: bool) -> dict[str, Any]:
        assert confined  # else a folder that the nightly backup may only read looks writable
        self.tried.append(arguments)
        if self.fails in arguments:
            raise LanpiError("it does not answer")
        return {"complete": True, "new": True, "snapshots": 0}


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    program = Program()
    monkeypatch.setattr(module, "send_program", lambda *_: program)
    return program


def configured(*places: str) -> Any:
    return effective({}, {}, [{"backup": {"repositories": list(places)}}]).config


def try_them(program: Program, text: str | None, *places: str, **options: Any) -> list[tuple[str, ...]]:
    pi: Any = None
    facts = replace(machine(1024), config_text=text)
    try_new(pi, facts, configured(*places), pi, module.Trying(**options))
    return program.tried


def test_only_what_is_new_is_tried(program: Program) -> None:
    disk = "/mnt/disk/backup"
    assert try_them(program, None, "/var/backups/lanpi") == []
    assert try_them(program, TEXT, "/var/backups/lanpi", STICK) == []
    assert try_them(program, TEXT, STICK, disk, tried=(disk,)) == []
    assert try_them(program, TEXT, STICK, disk) == [("place-try", disk)]
    assert try_them(program, TEXT, disk, reach_only=True)[1:] == [("place-try", disk, "--reach-only")]


def test_a_new_place_that_does_not_work_stops_an_install(program: Program) -> None:
    program.fails = "sftp:pi@nas:/b"
    with pytest.raises(LanpiError, match="it does not answer"):
        try_them(program, TEXT, STICK, "sftp:pi@nas:/b")


def test_adding_and_removing_leave_the_other_settings() -> None:
    text = TEXT + "  keep_daily: 3\n"
    added = adding("/mnt/disk/backup")(text).backup
    assert added.repositories == ["/var/backups/lanpi", STICK, "/mnt/disk/backup"]
    assert added.keep_daily == 3
    assert adding(STICK)(text).backup.repositories == ["/var/backups/lanpi", STICK]
    assert removing(STICK, "pi")(text).backup.repositories == ["/var/backups/lanpi"]


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [(TEXT, "/srv/x", "is not one of the backup places"), (None, "/var/backups/lanpi", "is the only backup place")],
)
def test_places_that_cannot_be_removed(text: str | None, place: str, why: str) -> None:
    with pytest.raises(LanpiError, match=why) as refused:
        removing(place, "pi")(text)
    assert refused.value.exit_code is ExitCode.BAD_INPUT


def test_adding_a_place_installs_nothing() -> None:
    class Fresh:
        name = "pi"

        def run(self, argv: list[str], **_: Any) -> Completed:
            return Completed(argv[0], 1, b"", b"")

    with pytest.raises(LanpiError, match="lanpi is not installed"):
        require_installed(Fresh())  # type: ignore[arg-type]
