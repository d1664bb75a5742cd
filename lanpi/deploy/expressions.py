"""Jinja as declarations use it: conditions over what is known of a Pi and of its configuration."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined


def holds(condition: str | None, values: Mapping[str, Any]) -> bool:
    """Whether an entry's ``when`` is true; without one it is.

    Raises:
        UndefinedError: it names something that is not there.
    """
    return condition is None or bool(_compiled(condition)(**values))


@cache
def _compiled(condition: str) -> Callable[..., Any]:
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - expressions, not HTML
    return environment.compile_expression(condition, undefined_to_none=False)
