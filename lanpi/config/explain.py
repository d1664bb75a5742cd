"""pydantic's errors as people need them: where, what was found, what is allowed, what was probably meant."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from lanpi.config.describe import keys, sections
from lanpi.errors import Mistake

LONGEST_SHOWN = 60


Places = Mapping[str, tuple[str, int | None]]
"""Dotted path -> the file or option that its value comes from, and the line there."""


def explain(error: ValidationError, data: Mapping[str, Any], places: Places) -> list[Mistake]:
    """One mistake for each wrong key, in the order of the sources and of their lines.

    Args:
        error: what the schema says of ``data``.
        data: the merged settings.
        places: where each value comes from, the sources in their order.
    """
    found: dict[str, Mistake] = {}
    for each in error.errors(include_url=False):
        path = _path(each["loc"])
        # A union tells one error a branch; for people it is one.
        if path not in found:
            source, line = _place(path, places)
            found[path] = Mistake(path, source, line, _text(path, each, data))
    order = {source: number for number, source in enumerate(dict.fromkeys(source for source, _ in places.values()))}
    return sorted(found.values(), key=lambda mistake: (order.get(mistake.source, -1), mistake.line or 0, mistake.key))


def nearest(path: str) -> str | None:
    """The key or section that was probably meant by one that there is not; None when nothing is near."""
    section, _, name = path.rpartition(".")
    beside = sections().get(section, ())
    near = difflib.get_close_matches(name, beside, n=1)
    if near:
        return f"{section}.{near[0]}" if section else near[0]
    everything = [*keys(), *(name for name in sections() if name)]
    # The right name in the wrong section is as common as a typing error.
    same = [known for known in everything if known.rpartition(".")[2] == name]
    near = same or difflib.get_close_matches(path, everything, n=1)
    if near:
        return near[0]
    names = {known.rpartition(".")[2]: known for known in everything}
    by_name = difflib.get_close_matches(name, names, n=1)
    return names[by_name[0]] if by_name else None


def _text(path: str, each: Any, data: Mapping[str, Any]) -> str:
    if each["type"] == "extra_forbidden" and path in keys():
        section, _, name = path.rpartition(".")
        return f"{path}: write it as {name} under {section}"
    if each["type"] == "extra_forbidden":
        return f"{path}: unknown key{_hint(path)}"
    if each["type"] == "value_error":
        message = str(each["ctx"]["error"])
        shown = "" if path in sections() else f"found {_shown(each['input'])}: "
        return f"{path}: {shown}{message}" if path else message
    if path in sections():
        names = ", ".join(sections()[path])
        return f"{path}: found {_shown(each['input'])}, but this is a section with the keys {names}"
    key = _key(path)
    allowed = keys()[key].allowed if key else "nothing"
    return f"{path}: found {_shown(_value(data, path, each['input']))}; allowed: {allowed}"


def _hint(path: str) -> str:
    meant = nearest(path)
    if meant:
        return f"; did you mean {meant}?"
    return f"; known keys: {', '.join(sections().get(path.rpartition('.')[0], sections()['']))}"


def _path(location: Sequence[int | str]) -> str:
    """The dotted path, without the names of union branches that pydantic adds below a key."""
    parts: list[str] = []
    for part in location:
        parts.append(str(part))
        path = ".".join(parts)
        if path in keys() and not isinstance(keys()[path].default, dict):
            break
        if _key(path) and path not in keys():
            break
    return ".".join(parts)


def _key(path: str) -> str | None:
    """The key that a path is, or is below."""
    while path and path not in keys():
        path = path.rpartition(".")[0]
    return path or None


def _value(data: Mapping[str, Any], path: str, otherwise: Any) -> Any:
    value: Any = data
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return otherwise
        value = value[part]
    return value


def _place(path: str, places: Places) -> tuple[str, int | None]:
    return next((places[each] for each in _upwards(path) if each in places), ("", None))


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _shown(value: Any) -> str:
    """A value as it is written in YAML, cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
