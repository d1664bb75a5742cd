"""From settings of several sources to one configuration, knowing where each value came from, or to one
error that names every fault."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from lanpi.config.describe import keys, sections
from lanpi.config.explain import explain
from lanpi.config.model import Config
from lanpi.config.read import Layer, bad_input, parse, parse_file, parse_setting

__all__ = ["Effective", "Origin", "effective", "leaves", "load_file", "parse", "parse_setting"]

load_file = parse_file

KINDS = ("default", "Pi", "file", "--set")
"""The layers, from the lowest to the highest."""


@dataclass(frozen=True)
class Origin:
    """Where a value came from.

    Attributes:
        kind: the layer; a later one goes over an earlier one.
        source: the file, or the option; empty for a default.
        line: in that file, from 1; None where there is none.
    """

    kind: Literal["default", "Pi", "file", "--set"]
    source: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.kind in ("default", "--set"):
            return self.kind
        return f"{self.source}, line {self.line}" if self.line else self.source


@dataclass(frozen=True)
class Effective:
    """A configuration and, for each key by its dotted path, where its value came from."""

    config: Config
    origins: dict[str, Origin]


def effective(pi: Mapping[str, Any], file: Mapping[str, Any], settings: Sequence[Mapping[str, Any]] = ()) -> Effective:
    """Put the sources on top of each other: default < the Pi's own < the operator's file < --set.

    Lists are replaced; sections and ``tune.overrides`` are merged name by name (``{}`` empties them).

    Raises:
        LanpiError: BAD_INPUT naming every wrong key with its place, what was found, and what is allowed.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {path: Origin("default") for path in keys()}
    layers: list[tuple[Literal["Pi", "file", "--set"], Mapping[str, Any]]] = [("Pi", pi), ("file", file)]
    layers += [("--set", setting) for setting in settings]
    for kind, layer in layers:
        given = _without_empty_sections(layer)
        kept = _without_left_behind(merged, given)
        for path in {path for path, _ in _paths(merged, "")} - {path for path, _ in _paths(kept, "")}:
            origins[path] = Origin("default")
        merged = _merge(kept, given)
        source = layer.source if isinstance(layer, Layer) else kind
        lines = layer.lines if isinstance(layer, Layer) else {}
        for path, value in _paths(given, ""):
            if value == {} and path not in sections():
                origins = {name: origin for name, origin in origins.items() if not name.startswith(f"{path}.")}
            origins[path] = Origin(kind, source, lines.get(path))
    try:
        config = Config.model_validate(merged)
    except ValidationError as error:
        known = {path: origin for path, origin in origins.items() if origin.kind != "default"}
        ordered = sorted(known.items(), key=lambda item: KINDS.index(item[1].kind))
        mistakes = explain(error, merged, {path: (origin.source, origin.line) for path, origin in ordered})
        if len(mistakes) == 1:
            raise bad_input(str(mistakes[0])) from error
        raise bad_input(f"the settings have {len(mistakes)} mistakes", mistakes) from error
    return Effective(config, {path: _nearest(origins, path) for path in keys()})


def leaves(config: Config) -> dict[str, Any]:
    """Every key by its dotted path, with its value as JSON has it."""
    document = config.model_dump(mode="json")
    found: dict[str, Any] = {}
    for path in keys():
        value: Any = document
        for part in path.split("."):
            value = value[part]
        found[path] = value
    return found


def _nearest(origins: Mapping[str, Origin], path: str) -> Origin:
    """A key's own origin; for one with names below it (tune.overrides) the last of theirs."""
    below = [origin for name, origin in origins.items() if name.startswith(f"{path}.")]
    return below[-1] if below else origins[path]


def _without_empty_sections(layer: Mapping[str, Any]) -> dict[str, Any]:
    """A section whose keys are all commented out reads as null, and means none of them."""
    return {key: {} if value is None and key in sections() else value for key, value in layer.items()}


def _without_left_behind(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """What is below, without the files of a certificate whose mode the layer above leaves.

    Whoever says ``--set tls.mode=local`` goes back from files of their own; they need not know which other keys
    belonged to those.
    """
    tls, above = under.get("tls"), over.get("tls")
    if not isinstance(tls, dict) or not isinstance(above, dict) or above.get("mode", "files") == "files":
        return dict(under)
    return {**under, "tls": {key: value for key, value in tls.items() if key not in ("certificate", "key")}}


def _merge(under: Mapping[str, Any], over: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        path = f"{prefix}{key}"
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and (value or path in sections()):
            value = _merge(below, value, f"{path}.")  # noqa: PLW2901 - the value as it is with what is below
        merged[key] = value
    return merged


def _paths(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Paths and values of all that a layer sets, sections included, so that an error can say the place."""
    for key, value in data.items():
        path = f"{prefix}{key}"
        yield path, value
        if isinstance(value, Mapping):
            yield from _paths(value, f"{path}.")
