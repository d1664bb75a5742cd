"""Every command that lanpi prints can be pasted as it is."""

import ast
import re
import shlex
from pathlib import Path

import pytest

import lanpi
from lanpi.cli.commands import COMMANDS
from lanpi.cli.groups import DefaultGroup
from lanpi.cli.main import load_command
from lanpi.hints import HERE, TARGETED, Place

PI = Place("pi@raspberrypi.local")
SOURCES = Path(lanpi.__file__).parent


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("lanpi backup now", "lanpi backup now pi@raspberrypi.local"),
        ("Lower the limits: lanpi tune; or close it", "Lower the limits: lanpi tune pi@raspberrypi.local; or close it"),
        ("`lanpi doctor` says why", "`lanpi doctor pi@raspberrypi.local` says why"),
        ("`lanpi doctor --only cpu`", "`lanpi doctor pi@raspberrypi.local --only cpu`"),
        ("lanpi user passwd anna", "lanpi user passwd anna pi@raspberrypi.local"),
        ("Run lanpi user passwd anna.b.", "Run lanpi user passwd anna.b pi@raspberrypi.local."),
        ("lanpi tune history", "lanpi tune history pi@raspberrypi.local"),
        ("lanpi logs ejabberd", "lanpi logs pi@raspberrypi.local ejabberd"),
        ("lanpi backup forget-repository /mnt/x", "lanpi backup forget-repository /mnt/x pi@raspberrypi.local"),
        ("another lanpi is at work", "another lanpi is at work"),
        ("lanpi config example", "lanpi config example"),
        ("lanpi install virtual:x", "lanpi install virtual:x"),
        ("lanpi restore TARGET --from REPOSITORY", "lanpi restore TARGET --from REPOSITORY"),
        ("lanpi tune --help", "lanpi tune --help"),
        ("/usr/lib/lanpi install", "/usr/lib/lanpi install"),
        ("lanpi-backup.service", "lanpi-backup.service"),
    ],
)
def test_a_command_gets_the_target_where_it_takes_it(text, completed):
    assert PI.complete(text) == completed
    assert PI.complete(completed) == completed
    assert HERE.complete(text) == text


def test_options_of_the_login_come_along_but_no_secrets():
    place = Place("pi@x", identity="/home/a b/key", password_file="/p", sudo_password_file="/s")
    tail = "--identity '/home/a b/key' {} /p --sudo-password-file /s"
    assert place.complete("lanpi doctor --fix") == f"lanpi doctor pi@x {tail.format('--password-file')} --fix"
    assert place.complete("lanpi user list") == f"lanpi user list pi@x {tail.format('--ssh-password-file')}"


def _leaves(name, command):
    if getattr(command, "commands", None):
        if isinstance(command, DefaultGroup):
            yield name, next(iter(command.commands.values()))
        for sub, each in command.commands.items():
            yield from _leaves(f"{name} {sub}", each)
    else:
        yield name, command


def _all_commands():
    return {name: leaf for root in COMMANDS for name, leaf in _leaves(root, load_command(root))}


def test_the_table_is_that_of_the_commands():
    table = {}
    for name, command in _all_commands().items():
        arguments = [each.name for each in command.params if each.param_type_name == "argument"]
        found = [position for position, each in enumerate(arguments) if each in ("target", "targets", "words")]
        if found and any("--identity" in each.opts for each in command.params):
            table[name] = found[0]
    assert table == TARGETED


class _Strings(ast.NodeVisitor):
    """Texts of a module that may be shown, with the calls that they stand in: no docstrings, no help."""

    def __init__(self):
        self.found = []
        self._calls = []

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        self._calls.append(name)
        for each in (
            node.func,
            *node.args,
            *(word for word in node.keywords if word.arg not in ("help", "description")),
        ):
            self.visit(each)
        self._calls.pop()

    def visit_JoinedStr(self, node):
        self._keep(node, "".join(part.value if isinstance(part, ast.Constant) else "VALUE" for part in node.values))

    def visit_Constant(self, node):
        if isinstance(node.value, str):
            self._keep(node, node.value)

    def _keep(self, node, text):
        self.found.append((node.lineno, text, tuple(self._calls)))


NOT_SHOWN = ("hints.py", "virtual/lifecycle.py:217", "backup/sheet.py")
"""The table of commands itself, the comment of an SSH key, and a sheet for another Pi."""


def _texts():
    for path in sorted(SOURCES.rglob("*.py")):
        strings = _Strings()
        strings.visit(ast.parse(path.read_text()))
        for line, text, calls in strings.found:
            where = f"{path.relative_to(SOURCES)}:{line}"
            if not where.startswith(NOT_SHOWN):
                yield where, text, calls


NAMES = "|".join(COMMANDS)
IN_TEXT = re.compile(rf"(?<![\w/.@-])(`?)lanpi ((?:{NAMES})\b[^`;\n]*)")


def _hints(text):
    """The commands in a text: between backticks, or up to the end of the text, a semicolon or a bracket."""
    for quoted, words in IN_TEXT.findall(text):
        yield words if quoted else re.split(r"[)(]|, |\. ", words)[0]


COMMANDS_NOW = _all_commands()
COMMANDS_NOW["tune"] = COMMANDS_NOW["tune apply"]  # what it is short for
SHOWN = [(where, hint) for where, text, _ in _texts() for hint in _hints(text)]


@pytest.mark.parametrize(("where", "hint"), SHOWN, ids=[f"{where}" for where, _ in SHOWN])
def test_every_command_in_a_message_is_one_that_runs(where, hint):
    """A hint that is not the last of its text stands in backticks; what follows it must not be read as its words."""
    words = shlex.split(PI.complete(f"lanpi {hint}"))[1:]
    name = next((" ".join(words[:length]) for length in (2, 1) if " ".join(words[:length]) in COMMANDS_NOW), None)
    assert name, f"{where}: there is no command {hint!r}"
    rest = [word for word in words[len(name.split()) :] if word != "--help"]
    COMMANDS_NOW[name].make_context(name, rest)  # raises a usage error for what it does not know
    targeted = next((each for each in ("tune history", name) if hint.startswith(each) and each in TARGETED), None)
    if targeted and "--help" not in words and "TARGET" not in words:
        named = any("@" in word or word.startswith("virtual:") for word in words)
        assert named, f"{where}: {hint!r} takes a target, and its arguments before it are not named"


def test_what_the_command_line_itself_shows_is_completed():
    """Errors are completed where the target is opened; what a command shows by itself goes through ``complete``."""
    loose = [
        (where, text)
        for where, text, calls in _texts()
        if where.startswith("cli/")
        and PI.complete(text) != text
        and not {"complete", "LanpiError", "_bad"} & set(calls)
    ]
    assert loose == []
