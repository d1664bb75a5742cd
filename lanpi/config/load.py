"""From YAML texts to one configuration, knowing where each value came from, or to one error that names every fault."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ValidationError

from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError

Origin = Literal["default", "Pi", "file", "--set"]
NEAR = 0.6
"""difflib's own cutoff for a close match."""


@dataclass(frozen=True)
class Effective:
    """A configuration and, for each key by its dotted path, where its value came from."""

    config: Config
    origins: dict[str, Origin]


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key written twice, which plain YAML answers with the last one."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", key_node.start_mark)
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def parse(text: str, source: str) -> dict[str, Any]:
    """YAML text as a mapping.

    Args:
        text: the YAML.
        source: what it is called in an error.

    Raises:
        LanpiError: BAD_INPUT with line and column when it is no YAML, or no mapping.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        line = text.splitlines()[mark.line].strip() if mark and mark.line < len(text.splitlines()) else ""
        shown = f": {line!r}" if line else ""
        raise _bad(f"{source}{where}: {problem}{shown}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise _bad(f"{source}: it must be a mapping of keys to values")
    return data


def load_file(path: Path) -> dict[str, Any]:
    """A configuration file as a mapping.

    Raises:
        LanpiError: BAD_INPUT when it cannot be read or is no YAML.
    """
    try:
        return parse(path.read_text(), str(path))
    except OSError as error:
        raise _bad(f"cannot read {path}: {error.strerror}") from error


def parse_setting(text: str) -> dict[str, Any]:
    """``im.mqtt=true`` as nested mappings, the value read as YAML.

    Raises:
        LanpiError: BAD_INPUT without a key or an equals sign.
    """
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise _bad(f"--set {text}: write it as KEY=VALUE, such as im.mqtt=true")
    setting: Any = yaml.safe_load(value) if value else None
    for part in reversed(key.split(".")):
        setting = {part: setting}
    nested: dict[str, Any] = setting
    return nested


def effective(pi: Mapping[str, Any], file: Mapping[str, Any], settings: Sequence[Mapping[str, Any]]) -> Effective:
    """Put the sources on top of each other: default < the Pi's own < the operator's file < --set.

    Raises:
        LanpiError: BAD_INPUT naming every wrong key, what was found, and what is allowed.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {path: "default" for path, _ in _leaves(Config().model_dump())}
    layers: list[tuple[Origin, Mapping[str, Any]]] = [("Pi", pi), ("file", file)]
    layers += [("--set", setting) for setting in settings]
    for origin, layer in layers:
        merged = _merge(merged, layer)
        origins.update({path: origin for path, _ in _leaves(layer)})
    return Effective(validate(merged), origins)


def validate(data: Mapping[str, Any]) -> Config:
    """The configuration that a mapping stands for.

    Raises:
        LanpiError: BAD_INPUT naming every wrong key.
    """
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise _bad("the configuration is wrong: " + "; ".join(_explain(e) for e in error.errors())) from error


def _explain(error: Any) -> str:
    """One of pydantic's errors for people: the key's path, what was found, what is allowed."""
    location = [str(part) for part in error["loc"]]
    # A union's branch names ("int", "literal[…]") are no part of the path.
    path = ".".join(part for part in location if part.replace("_", "").isalnum() and part not in ("int", "str"))
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(location[-1], _names(location[:-1]), n=1, cutoff=NEAR)
        hint = f"; did you mean {near[0]}?" if near else f" (there are {', '.join(_names(location[:-1]))})"
        return f"{path}: there is no such key{hint}"
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    found = error["input"]
    shown = "" if isinstance(found, dict | BaseModel) else f"{found!r}: "
    return f"{path}: {shown}{message}" if path else message


def _names(path: Sequence[str]) -> list[str]:
    """The keys that are allowed in a section."""
    model: type[BaseModel] = Config
    for part in path:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def leaves(config: Config) -> dict[str, Any]:
    """Every key by its dotted path, with its value."""
    return dict(_leaves(config.model_dump(mode="json")))


def _bad(what: str) -> LanpiError:
    return LanpiError(
        what,
        next_step="`lanpi config example` shows every key with what it takes",
        exit_code=ExitCode.BAD_INPUT,
    )
