"""Who can create an account after an install, and both forms of an address."""

from dataclasses import replace

import pytest

from lanpi.config.load import effective
from lanpi.flows.install import with_invitations
from lanpi.flows.restore import part_address
from tests.unit.tuning.machines import machine


class Notes:
    """A report that keeps its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def registration(codename: str, **im: str) -> tuple[str, list[str]]:
    facts = machine(2048)
    facts = replace(facts, os=replace(facts.os, codename=codename))
    report = Notes()
    config = effective({"im": im} if im else {}, {}).config
    return with_invitations(facts, config, report).im.registration, report.notes  # type: ignore[arg-type]


def test_a_new_installation_has_invitations_where_its_ejabberd_supports_them() -> None:
    assert registration("trixie") == ("invite", [])
    value, notes = registration("bookworm")
    assert value == "closed"
    assert "does not support invitations" in notes[0]
    assert registration("trixie", channel="stable")[0] == "closed"


@pytest.mark.parametrize("value", ["closed", "open", "invite"])
def test_what_the_operator_says_counts(value: str) -> None:
    assert registration("trixie", registration=value) == (value, [])


def test_restore_takes_both_forms_of_an_address() -> None:
    assert part_address("home.local", "anna", "") == ("--account", "anna@home.local")
    assert part_address("home.local", "anna@home.local", "") == ("--account", "anna@home.local")
    assert part_address("home.local", "", "family") == ("--room", "family@conference.home.local")
