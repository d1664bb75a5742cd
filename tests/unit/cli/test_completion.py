"""Completion as a shell asks for it."""

import os
import subprocess
import sys

import pytest


def complete(*words: str, config: str) -> list[str]:
    asked = {"_LANPI_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "lanpi"],
        env=os.environ | asked | {"XDG_CONFIG_HOME": config},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("lanpi", "sta"), ["status"]),
        (("lanpi", "tune", "h"), ["history"]),
        (("lanpi", "status", "--js"), ["--json"]),
        (("lanpi", "status", "sch"), ["school"]),
        (("lanpi", "user", "add", "anna", "sch"), ["school"]),
        (("lanpi", "status", "loc"), ["local"]),
    ],
)
def test_commands_options_and_live_names_are_completed(tmp_path, words, expected):
    (tmp_path / "lanpi").mkdir()
    (tmp_path / "lanpi/hosts.yml").write_text("school: pi@10.0.0.2\n")
    assert complete(*words, config=str(tmp_path)) == expected


def test_a_broken_inventory_completes_nothing(tmp_path):
    (tmp_path / "lanpi").mkdir()
    (tmp_path / "lanpi/hosts.yml").write_text("[")
    assert complete("lanpi", "status", "sch", config=str(tmp_path)) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_lanpi_and_what_it_asks_with(shell):
    done = subprocess.run(
        [sys.executable, "-m", "lanpi", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "_LANPI_COMPLETE=complete_" in done.stdout
