"""The help of every command: examples that can be pasted, words for every value, and nothing cut off."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from lanpi.cli.commands import COMMANDS
from lanpi.cli.main import load_command

ROOT = "lanpi"


def walk(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, f"{path} {name}")


ALL = dict(pair for name in COMMANDS for pair in walk(load_command(name), f"{ROOT} {name}"))
LEAVES = {path: command for path, command in ALL.items() if not hasattr(command, "commands")}


def shown(path: str) -> str:
    return str(ALL[path].get_help(ALL[path].make_context(path, [], resilient_parsing=True)))


def examples(path: str) -> list[str]:
    return [line.strip() for line in shown(path).splitlines() if line.startswith("    lanpi ")]


@pytest.mark.parametrize("path", LEAVES)
def test_each_command_has_examples_that_it_accepts(path: str) -> None:
    found = examples(path)
    assert found, "add an example to its docstring"
    for example in found:
        words = shlex.split(re.split(" >>? ", example)[0])
        assert words[: len(path.split())] == path.split(), "an example of another command"
        LEAVES[path].make_context(path, words[len(path.split()) :])  # raises a usage error for what it refuses


@pytest.mark.parametrize("path", LEAVES)
def test_each_option_says_what_it_takes(path: str) -> None:
    for parameter in LEAVES[path].params:
        if parameter.param_type_name == "option" and not parameter.is_flag and not getattr(parameter, "count", False):
            assert parameter.metavar, f"{parameter.name} shows the name of a type: give it a metavar"


@pytest.mark.parametrize("path", ALL)
def test_no_line_of_help_is_cut_off(path: str) -> None:
    text = shown(path)
    assert not [line for line in text.splitlines() if line.endswith("...") and not line.startswith("Usage:")]
    assert "\b" not in text
