"""A newcomer's walk: what a person types on a terminal, from the first login to the last hint that lanpi prints.

Every command that appears on the way is run as it was printed.
"""

import os
import re
import shlex
import sys
import time
from pathlib import Path

import pexpect
import pytest

from lanpi.cli.commands import COMMANDS

NAMES = "|".join(COMMANDS)
# Between backticks, or from "lanpi" to the end of the line; a sentence that goes on has put its command in backticks.
HINT = re.compile(rf"`(lanpi (?:{NAMES})\b[^`\n]*)`|(?<![\w/.@-])(lanpi (?:{NAMES})\b[^`;\n]*)")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
UNREACHABLE, REFUSED, BAD_INPUT = 3, 4, 2
NEVER = (
    "lanpi backup add",  # needs a place of one's own
    "lanpi uninstall",
    "lanpi restore",
    "lanpi virtual",
    "lanpi install USER@HOST",
)
"""Hints that would take away what the rest of the walk needs, or are about another machine."""
EXAMPLE = r"--help|raspberrypi\.local"
"""In a help text: about nobody's Pi."""
MOST_HINTS = 25
"""A walk of hints that lead to hints ends somewhere."""


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("walk", model="3b+")


@pytest.fixture(scope="module")
def person(pi, tmp_path_factory):
    return Person(pi, tmp_path_factory.mktemp("newcomer"))


class Person:
    """Somebody at a terminal of 80 columns, without keys, agent, or anything of lanpi's yet.

    Attributes:
        said: all that the terminal has shown, by command.
    """

    def __init__(self, pi, home):
        self.pi, self.home, self.said = pi, home, {}
        self.target = f"{pi.user}@{pi.address}"
        (home / "bin").mkdir()
        (home / "bin/lanpi").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lanpi "$@"\n')
        (home / "bin/lanpi").chmod(0o755)
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
        self.environment = {
            **kept, "HOME": str(home), "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[2]),
            "PATH": f"{home}/bin:{os.environ['PATH']}",
        }  # fmt: skip

    def type(self, line, *dialogue, timeout_seconds=300):
        """Run a line of shell; each (pattern, answer) of the dialogue is waited for in this order.

        An answer that is a string is typed with the Enter key, one that is a function is called with the terminal.

        Returns:
            Exit status, and what was shown.
        """
        child = pexpect.spawn(
            "/bin/sh", ["-c", line], env=self.environment, cwd=self.home, dimensions=(24, 80), timeout=timeout_seconds,
            encoding="utf-8",
        )  # fmt: skip
        shown = ""
        try:
            for pattern, answer in dialogue:
                child.expect(pattern)
                shown += child.before + child.after
                if callable(answer):
                    answer(child)
                else:
                    child.waitnoecho() if "assword" in pattern else None
                    child.sendline(answer)
            child.expect(pexpect.EOF)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            pytest.fail(f"{line}: waited in vain ({error.value[:60]}): {shown}{child.before}")
        shown += child.before
        child.close()
        shown = COLOURS.sub("", shown).replace("\r\n", "\n")
        self.said[line] = shown
        return (128 + child.signalstatus if child.signalstatus else child.exitstatus), shown


LOGIN = r"Password of pi on pi@[\d.]+: "
SUDO = r"Sudo password of pi on pi@[\d.]+: "


def slowly(text):
    """Type as people do: long enough for a spinner to be drawn, if there were one."""

    def type_it(child):
        time.sleep(1)
        child.sendline(text)

    return type_it


def interrupt(child):
    time.sleep(1)
    child.sendintr()


def test_the_first_login_asks_for_trust_and_password_and_bears_a_wrong_one(person):
    status, shown = person.type(
        f"lanpi install {person.target}",
        (r"Trust this key from now on\? \[y/N\] ", "y"),
        (LOGIN, "not it"),
        (f"Sorry, try again. {LOGIN}", person.pi.password),
        # Sudo takes the password that has just been right.
        (r"Domain \[[\w-]+\.local\] ", ""),
        ("Installing packages", interrupt),
    )
    assert status == 130, shown
    assert "SHA256:" in shown
    assert "Run the same command again" in shown


def test_after_ctrl_c_the_same_command_goes_on_to_the_end(person):
    """Now with a key, so that sudo has to ask: in the middle of a step, and a wrong one may be followed by another."""
    status, shown = person.type(
        f"lanpi install {person.target} --identity {person.pi.key_path}",
        (SUDO, slowly("not it")),
        (f"Sorry, try again. {SUDO}", person.pi.password),
        timeout_seconds=900,
    )
    assert status == 0, shown
    assert "is ready, and messages are delivered" in shown
    assert "Domain" not in shown  # chosen by the first try
    assert re.search(f"{SUDO}\n", shown), shown  # the spinner does not draw over what is asked


def test_every_command_that_was_printed_runs_as_it_was_printed(person):
    status, shown = person.type(
        f"lanpi status {person.target} --identity {person.pi.key_path}", (SUDO, person.pi.password)
    )
    assert status in (0, 1, 2), shown
    tried = []
    while hints := [hint for hint in hints_in(person.said) if hint not in tried]:
        for hint in hints:
            tried.append(hint)
            assert len(tried) <= MOST_HINTS, tried
            follow(person, hint)
    assert any(hint.startswith("lanpi user add") for hint in tried)
    assert any(hint.startswith("lanpi ca") for hint in tried)
    assert any(hint.endswith("--reboot") for hint in tried), tried
    assert any(hint.startswith("lanpi backup now") for hint in tried), tried
    assert all(person.target in hint for hint in tried if not hint.startswith(("lanpi config", "lanpi host"))), tried


def hints_in(said):
    """All commands on the screen, in the order in which they came up."""
    found = [quoted or plain for shown in said.values() for quoted, plain in HINT.findall(shown)]
    return [
        hint.strip() for hint in dict.fromkeys(found) if not hint.startswith(NEVER) and not re.search(EXAMPLE, hint)
    ]


def follow(person, hint):
    """Run a hint, its placeholders filled in; sudo asks once in each."""
    line = hint.replace(" NAME", " anna").replace("HH:MM", "03:10")
    needs_root = not line.startswith(("lanpi config example", "lanpi host"))
    dialogue = [(SUDO, person.pi.password)] if needs_root else []
    if line.startswith("lanpi user add"):
        dialogue.append((r"New password for anna .*: ", ""))
    if line.startswith("lanpi backup key"):
        dialogue.append((r"\[y/N\] ", "y"))
    if "--fix" in line:
        line += " --yes"
    if line.startswith("lanpi tune ") and "history" not in line:
        line += " --yes"
    status, shown = person.type(line, *dialogue, timeout_seconds=600)
    allowed = (0, 1, 2) if line.startswith(("lanpi doctor", "lanpi status")) else (0,)
    assert status in allowed, f"{hint} ended with {status}: {shown}"


def test_without_a_terminal_it_is_said_that_sudo_could_not_ask(person, lanpi, monkeypatch):
    for name, value in person.environment.items():
        monkeypatch.setenv(name, value)
    done = lanpi("install", person.target, "--identity", person.pi.key_path)
    assert done.returncode == REFUSED
    assert "no terminal to ask on" in done.stderr
    assert "--sudo-password-file" in done.stderr


def test_three_wrong_passwords_for_sudo_are_told_as_that(person):
    again = f"Sorry, try again. {SUDO}"
    status, shown = person.type(
        f"lanpi install {person.target} --identity {person.pi.key_path}", (SUDO, "a"), (again, "b"), (again, "c")
    )
    assert status == REFUSED
    assert "sudo refused: wrong password" in shown
