"""The words that lanpi says to people: plain, idiomatic English, read as a whole.

This run writes all of them to build/messages.txt, sorted by file and line, so that a reader can review them in one go:

    pytest -q tests/unit/test_messages.py && less build/messages.txt
"""

import re

import pytest

from tests.unit.messages import ROOT, Message, collect, read

REVIEWED = ("",)
"""Files and folders whose texts were rewritten and must stay so; ("",) means all of them."""

BANNED = {
    r"\bmend(s|ed|ing)?\b": "fix; repair for a database",
    r"\banew\b": "again",
    r"\bfor ever\b": "permanently",
    r"(?<![Tt]here )\bis no (?!longer)": "is not a valid …, or: there is no …",
    r"\b(has|have|had) to be\b": "must be",
    r"\bbelongs? into\b": "put it in …",
    r"\bholds the lock since\b": "has held the lock since",
    r"\bto hand\b": "available",
    r"\bto be had\b": "available",
    r"\bmisses something\b": "lacks …, naming it",
    r"\bso many\b": "this many",
    r"\b[Mm]akes? up a\b|\bmakes one up\b": "generate",
    r"\bsmall letters\b": "lower-case letters",
    r"(^|[;,.] )([Gg]ive|[Tt]ake|[Nn]ame) (--|another|one\b|a longer|the right)": "pass, use or choose",
    r"\b[Mm]akes? (an account|a virtual Pi|one:)": "create",
    r"\bcannot be told\b": "is unknown",
    r"\band end\b\.?$": "and exit",
    r"\bnobody reads\b": "say who cannot do what",
    r"\bof before\b": "previous",
    r"\b[Oo]nce more\b": "again",
    r"\btouch(es|ed)? nothing\b|\bnothing was touched\b": "change nothing, nothing was changed",
    r"\bis there twice\b": "is set twice",
    r"\bis forgotten\b": "was removed",
    r"\bgoes? on (with|where|showing|trying)\b": "continues",
    r"\bmay stay empty\b": "can be empty",
    r"\bspan of time\b": "time span",
    r"\bas it should be\b": "up to date, or say what differs",
    r"\b[Ss]ay(s)? (how a|what is wrong|when|all of|which)\b": "show, report, find out",
    r"\bthe one that\b|\bone that is\b": "name the thing again",
    r"\bdoes not run\b": "is not running",
    r"\bmessages pass\b": "messages are delivered",
    r"\bbring(s)? (it|a backup|.*) back onto\b": "restore",
    r"\ball there (is|are)\b|\bthose there are\b": "all …",
}
"""Pattern -> what to write instead."""


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    found = collect()
    path = ROOT / "build" / "messages.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{message}\n" for message in found), encoding="utf-8")
    return found


def test_the_collection_has_every_kind(messages: list[Message]) -> None:
    kinds = {message.where for message in messages}
    assert kinds >= {
        "LanpiError", "LanpiError next_step", "help", "Option help", "Argument help", "Typer help", "Field description",
        "result", "confirm", "comment", "shell",
    }  # fmt: skip
    assert {message.file.partition("/")[0] for message in messages} == {"lanpi", "playbooks", "templates", "scripts"}


@pytest.mark.parametrize("part", REVIEWED)
def test_what_was_reviewed_is_there(part: str, messages: list[Message]) -> None:
    assert any((ROOT / part).rglob("*")) or (ROOT / part).is_file(), f"{part} has moved: correct REVIEWED"


def test_no_banned_phrase(messages: list[Message]) -> None:
    bad = [
        f"{message}\n    {match[0]!r}: {instead}"
        for message in messages
        if message.file.startswith(REVIEWED)
        for pattern, instead in BANNED.items()
        if (match := re.search(pattern, message.text))
    ]
    assert not bad, "write it as a native speaker would:\n" + "\n".join(bad)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('raise LanpiError(f"{a!r} is no target", next_step="Name one")', ["{…} is no target", "Name one"]),
        ('x = "two words" " in parts"', ["two words in parts"]),
        ('x = f"a count of " + "things"', ["a count of things"]),
        ("x = f\"{n} setting{'' if n == 1 else 's'}\"", ["{…} setting{'' if n == 1 else 's'}"]),
        ('"""About the module."""\ndef f():\n    """About it."""', []),
        ('@app.command()\ndef f():\n    """Do it.\n\n    More words."""', ["Do it.", "More words."]),
        ('f("SELECT name FROM users")\nf("/usr/lib/x")\nf("one")', []),
        ('typer.Option("--x", help="Verbose.")', ["Verbose."]),
    ],
)
def test_what_is_collected_from_python(text: str, expected: list[str]) -> None:
    assert [message.text for message in read("lanpi/x.py", text)] == expected


def test_what_is_collected_elsewhere() -> None:
    assert [m.text for m in read("templates/x.j2", "#!/bin/sh\n# not this one\necho 'it is full'\n")] == ["it is full"]
    assert [m.text for m in read("playbooks/x.yml", "- name: Write the files\n  lanpi_x:\n")] == ["Write the files"]
    assert [m.text for m in read("lanpi/example.yml", "# What it means.\nkey: 1\n")] == ["What it means."]
    assert [m.text for m in read("templates/a.service.j2", "[Unit]\nDescription=Do it\n")] == ["Do it"]
    assert [m.text for m in read("templates/x.py.j2", 'x = {{ a }}\ny = "It is {{ b }}"\n')] == ["It is 0"]
