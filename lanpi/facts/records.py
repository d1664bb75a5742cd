"""JSON as typed records, strictly."""

import types
import typing
from dataclasses import is_dataclass
from typing import Any, TypeVar

Record = TypeVar("Record")


def build_record(kind: type[Record], value: Any, where: str) -> Record:
    """A value of JSON as a dataclass, field by field.

    Probe and model travel together, so any difference between them is a bug and an error.

    Args:
        kind: the dataclass.
        value: what json.loads gave.
        where: what to call it in an error.

    Raises:
        ValueError: a value is missing, unknown or of another type.
    """
    built = _build(kind, value, where)
    assert isinstance(built, kind)
    return built


def _build(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        return _build_fields(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        present = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _build(present, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_build(arguments[0], item, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: _build(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    # bool is an int to isinstance, and not one to us.
    if value in arguments if origin is typing.Literal else type(value) is kind:
        return value
    raise ValueError(f"{where}: {value!r} is not {kind}")


def _build_fields(kind: type, value: dict[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    if set(hints) != set(value):
        raise ValueError(f"{where}: keys differ: {sorted(set(hints) ^ set(value))}")
    return kind(**{name: _build(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})
