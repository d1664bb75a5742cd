"""YAML as mappings that remember their lines; anything else is refused, with its line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lanpi.errors import ExitCode, LanpiError, Mistake

NEXT_STEP = "`lanpi config example` shows every key and its allowed values"


class Layer(dict[str, Any]):
    """One source's settings, nested as in the file.

    Attributes:
        source: what the source is called in messages.
        lines: dotted path of each key and section -> its line, from 1; empty where there are no lines.
    """

    def __init__(self, values: Mapping[str, Any], source: str, lines: Mapping[str, int]) -> None:
        super().__init__(values)
        self.source = source
        self.lines = dict(lines)


class _Loader(yaml.SafeLoader):
    """Safe YAML of plain mappings: a key written twice is an error, not a race that the last one wins."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        # Aliases make small files into endless ones, and no setting needs them.
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key.start_mark)
            if key.value in seen:
                first = seen[key.value]
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} is set twice, first in line {first}", key.start_mark
                )
            seen[key.value] = key.start_mark.line + 1
        return super().construct_mapping(node, deep=deep)


def parse(text: str, source: str) -> Layer:
    """YAML text as settings.

    Args:
        text: the YAML; empty means no settings.
        source: what it is called in messages.

    Raises:
        LanpiError: BAD_INPUT with line, column and the line itself when it is not YAML, or not a mapping.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    # ValueError: a scalar that only looks like a date or number. RecursionError: brackets without end.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _broken(text, source, error) from error
    finally:
        if loader is not None:
            loader.dispose()
    if data is None:
        return Layer({}, source, {})
    if not isinstance(data, dict):
        raise bad_input(f"{source}: expected keys with values (KEY: VALUE), but found {data!r:.60}")
    return Layer(data, source, dict(_lines(node, "")))


def parse_file(path: Path) -> Layer:
    """A configuration file as settings.

    Raises:
        LanpiError: BAD_INPUT when it cannot be read or is not YAML.
    """
    try:
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise bad_input(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise bad_input(f"cannot read {path}: it is not UTF-8 text (byte {error.start})") from error


def parse_setting(text: str) -> Layer:
    """``im.mqtt=true`` as settings, the value read as YAML.

    Raises:
        LanpiError: BAD_INPUT without a key or an equals sign, or with a value that is not YAML.
    """
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise bad_input(f"--set {text}: write it as KEY=VALUE, such as im.mqtt=true")
    try:
        # A key of its own makes any value a document.
        setting: Any = parse(f"value: {value}", "--set")["value"]
    except LanpiError as error:
        raise bad_input(f"--set {text}: the value is not valid YAML") from error
    for part in reversed(key.split(".")):
        setting = {part: setting}
    return Layer(setting, "--set", {})


def bad_input(what: str, mistakes: Sequence[Mistake] = ()) -> LanpiError:
    """A configuration that is refused."""
    return LanpiError(what, next_step=NEXT_STEP, exit_code=ExitCode.BAD_INPUT, mistakes=mistakes)


def _broken(text: str, source: str, error: Exception) -> LanpiError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    if isinstance(error, RecursionError):
        problem = "nested too deeply"
    if mark is None:
        return bad_input(f"{source}: {problem}")
    lines = text.splitlines()
    line = lines[mark.line].strip() if mark.line < len(lines) else ""
    shown = f" in `{line:.80}`" if line else ""
    return bad_input(f"{source}, line {mark.line + 1}, column {mark.column + 1}: {problem}{shown}")


def _lines(node: Any, prefix: str) -> Any:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        yield path, key.start_mark.line + 1
        yield from _lines(value, f"{path}.")
