"""Every text that lanpi can say to a person, found by reading its source files, never by importing them.

A text is a string literal that reads like words: it has at least two of them and is no code, path or pattern. So a
new kind of message, or a module that moved, is found without a list to keep. Docstrings count only where they are the
help of a command.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("lanpi", "playbooks", "templates", "scripts")

_TWO_WORDS = re.compile(r"[A-Za-z…}',;:)][,;:]? +[A-Za-z{(`'\"-]")
_LETTERS = re.compile(r"(?<![$\w])[A-Za-z]{2}")
_SENTENCE = re.compile(r"^[A-Z][a-z]+(-[a-z]+)?[.:?]?$")
_CODE = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|ATTACH|DETACH|WITH|BEGIN|COMMIT|COPY|GRANT|SET) "
    r"|^\s*</?[a-z?!]|^\s*[\[({*^]?\^|\\[dswS.(]|\(\?[P:!<=]|^set -|\bset -e|\bimport |^[<(%]|^\{(?!…|')"
    r"|^--?[a-z][^ ]*( [^ ]+)?$|^\w+\[.*\]$"
    r"|^\[(Unit|Match|Service)|=\$\(|\x22\$[\d@]|\bTYPE=|^deb \[|xmlns"
)
_JINJA_BLOCK = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_JINJA_VALUE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'')
_HERE_DOCUMENT = re.compile(r"<<-? ?['\"]?(\w+)")
_YAML_TEXT = re.compile(r"^\s*-?\s*(name|msg|fail_msg|success_msg|title|description|short_description): *(.+)$")
_UNIT_TEXT = re.compile(r"^Description=(.+)$")


@dataclass(frozen=True, order=True)
class Message:
    """A text and where it is.

    Attributes:
        file: from the top of the repository, with slashes.
        line: from 1.
        where: what it is an argument of, such as ``LanpiError next_step``; "" for none.
        text: with ``{…}`` where values go in.
    """

    file: str
    line: int
    where: str
    text: str

    def __str__(self) -> str:
        label = f" [{self.where}]" if self.where else ""
        return f"{self.file}:{self.line}:{label} {self.text}"


def collect(root: Path = ROOT) -> list[Message]:
    """All messages, sorted by file and line.

    Raises:
        SyntaxError: a file that should be Python does not parse.
    """
    found: list[Message] = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(root).as_posix()
                found += read(name, path.read_text(encoding="utf-8", errors="replace"))
    return sorted(found)


def read(name: str, text: str) -> list[Message]:
    """The messages of one file; which kind of file it is, its name and first line say."""
    first = text.partition("\n")[0]
    base = name.removesuffix(".j2")
    if base.endswith(".py") or (first.startswith("#!") and "python" in first):
        return list(_of_python(name, text))
    if base.endswith(".sh") or first.startswith("#!") or first.startswith("# shellcheck"):
        return list(_of_shell(name, text))
    if base.endswith((".yml", ".yaml")):
        return list(_of_yaml(name, text))
    if base.endswith((".service", ".timer", ".slice", ".mount", ".socket")):
        return [
            Message(name, number, "Description", match[1])
            for number, line in enumerate(text.splitlines(), 1)
            if (match := _UNIT_TEXT.match(line))
        ]
    return []


def reads_like_words(text: str) -> bool:
    """Whether a string is meant for people, rather than for a program."""
    return bool(_TWO_WORDS.search(text) and _LETTERS.search(text)) and not _CODE.search(text)


def _of_python(name: str, text: str) -> Iterator[Message]:
    if name.endswith(".j2"):
        # Values stand where Python has an expression or a part of a string; a number fits both.
        text = _JINJA_VALUE.sub("0", _JINJA_BLOCK.sub("", text))
    yield from _Reader(name).messages(ast.parse(text, name))


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name

    def messages(self, tree: ast.AST) -> Iterator[Message]:
        yield from self._visit(tree, "")

    def _visit(self, node: ast.AST, where: str) -> Iterator[Message]:
        if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
            text = rendered(node)
            if text is not None:
                named = where in ("Option help", "Argument help", "Field description", "Typer help")
                if reads_like_words(text) or (named and _SENTENCE.match(text)):
                    yield Message(self._name, node.lineno, where, " ".join(text.split()))
                return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_command(node):
            text = ast.get_docstring(node)
            line = node.body[0].lineno
            for paragraph in (text or "").split("\n\n"):
                said = " ".join(paragraph.replace("\b", "").split())
                if said:
                    yield Message(self._name, line, "help", said)
                line += paragraph.count("\n") + 2
        if isinstance(node, ast.Call):
            called = _called(node.func)
            yield from self._visit(node.func, where)
            for argument in node.args:
                yield from self._visit(argument, called)
            for keyword in node.keywords:
                yield from self._visit(keyword.value, f"{called} {keyword.arg}" if keyword.arg else called)
            return
        for child in ast.iter_child_nodes(node):
            if not _is_docstring(node, child):
                yield from self._visit(child, where)


def rendered(node: ast.AST) -> str | None:
    """A string literal as people see it, ``{…}`` for its values; None for everything else."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(rendered(value) or "{…}" for value in values)
        case ast.FormattedValue(value=value):
            # A choice between two words belongs to the sentence: "setting{'' if one else 's'}".
            return f"{{{ast.unparse(value)}}}" if isinstance(value, ast.IfExp) else "{…}"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = rendered(left), rendered(right)
            return None if None in parts else "".join(part for part in parts if part)
    return None


def _called(function: ast.AST) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(each, ast.Call) and _called(each.func) in ("command", "callback") for each in node.decorator_list
    )


def _is_docstring(parent: ast.AST, child: ast.AST) -> bool:
    """Also the strings after an attribute, which document it."""
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _of_shell(name: str, text: str) -> Iterator[Message]:
    until = ""
    for number, line in enumerate(text.splitlines(), 1):
        if until:
            if line.strip() == until:
                until = ""
            elif reads_like_words(line):
                yield Message(name, number, "here-document", line.strip())
            continue
        if line.lstrip().startswith("#"):
            continue
        opened = _HERE_DOCUMENT.search(line)
        until = opened[1] if opened else ""
        for match in _QUOTED.finditer(line):
            said = match[1] if match[1] is not None else match[2]
            if reads_like_words(said):
                yield Message(name, number, "shell", said)


def _of_yaml(name: str, text: str) -> Iterator[Message]:
    """What tasks are called and say; of lanpi's own example, whose comments are its text, each comment."""
    for number, line in enumerate(text.splitlines(), 1):
        match = _YAML_TEXT.match(line)
        if match and reads_like_words(match[2].strip("\"'")):
            yield Message(name, number, match[1], match[2].strip("\"'"))
        elif name.startswith("lanpi/") and line.lstrip().startswith("#"):
            yield Message(name, number, "comment", line.lstrip(" #"))
