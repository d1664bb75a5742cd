"""The schema in words: every key with its meaning, its default and its allowed values."""

import types
import typing
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lanpi.config.model import Config
from lanpi.config.section import Allowed


@dataclass(frozen=True)
class Key:
    """A key of lanpi.yml.

    Attributes:
        path: dotted, such as ``im.archive_days``.
        description: what it means, with its unit.
        default: its value where nobody sets it.
        allowed: the values it accepts, in words.
    """

    path: str
    description: str
    default: Any
    allowed: str


@cache
def keys() -> dict[str, Key]:
    """Every key by its path, in the schema's order."""
    return {key.path: key for key in _keys(Config, "")}


@cache
def sections() -> dict[str, tuple[str, ...]]:
    """Section -> the names in it, in the schema's order; the top level is the empty path."""
    found: dict[str, tuple[str, ...]] = {"": tuple(Config.model_fields)}
    found.update((name, tuple(model.model_fields)) for name, model in _sections(Config, ""))
    return found


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _sections(model: type[BaseModel], prefix: str) -> typing.Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        section = _section_of(field)
        if section:
            yield f"{prefix}{name}", section
            yield from _sections(section, f"{prefix}{name}.")


def _keys(model: type[BaseModel], prefix: str) -> typing.Iterator[Key]:
    for name, field in model.model_fields.items():
        section = _section_of(field)
        if section:
            yield from _keys(section, f"{prefix}{name}.")
        else:
            default = field.get_default(call_default_factory=True)
            yield Key(f"{prefix}{name}", field.description or "", default, _allowed(field.annotation, field.metadata))


def _allowed(kind: Any, metadata: typing.Sequence[Any]) -> str:
    said = next((item.text for item in metadata if isinstance(item, Allowed)), None)
    if said:
        return str(said)
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *extra = get_args(kind)
        bounds = [bound for item in extra if isinstance(item, FieldInfo) for bound in item.metadata]
        return _allowed(inner, [*extra, *bounds])
    if origin in (Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not type(None)]
        words = [_allowed(part, metadata) for part in parts]
        if len(parts) < len(get_args(kind)):
            words.append("empty")
        return " or ".join(words)
    if origin is Literal:
        return " or ".join(str(value) for value in get_args(kind))
    if origin is list:
        return "a list"
    if origin is dict:
        return "names with values"
    if kind is int:
        return f"a whole number{_range(metadata)}"
    return {bool: "true or false", str: "text"}[kind]


def _range(metadata: typing.Sequence[Any]) -> str:
    low = next((item.ge for item in metadata if isinstance(item, annotated_types.Ge)), None)
    high = next((item.le for item in metadata if isinstance(item, annotated_types.Le)), None)
    if low is None or high is None:
        return "" if low is None else f" of at least {low}"
    return f" from {low} to {high}"
