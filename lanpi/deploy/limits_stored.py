"""Plans as they were: what is installed on the Pi, and the sets that were in effect before."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any, Literal, Protocol, get_type_hints

from lanpi import paths
from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.tuning import constants as k
from lanpi.tuning.model import Plan

LIMITS = f"{paths.PI_STATE}/limits.json"
"""The plan in effect; a file of the desired state, so an install writes it too."""
HISTORY = f"{paths.PI_STATE}/tune/history.json"
SETS_KEPT = 20
MEMORY_TOLERANCE = 0.05
"""Kernels differ in what they reserve by a percent or two; a bigger board differs by a factor."""


@dataclass(frozen=True)
class Set:
    """Limits that are or were in effect.

    Attributes:
        number: counted up, never used again.
        when: ISO 8601, UTC.
        how: "install", "tune", "undo".
        state: started (an interrupted tune), in effect, replaced, rolled back.
        previous: the number of the set that an undo goes back to, 0 if there is none.
        tune: the ``tune`` section of lanpi.yml.
        plan: the limits.
    """

    number: int
    when: str
    how: str
    state: Literal["started", "in effect", "replaced", "rolled back"]
    previous: int
    tune: dict[str, Any]
    plan: dict[str, Any]


def read_plan(host: Host) -> Plan | None:
    """The installed plan; None where there is none, or where another version of lanpi made it."""
    try:
        return plan_from(json.loads(host.get(LIMITS, root=True)))
    except FileNotFoundError:
        return None


def plan_from(data: Any) -> Plan | None:
    """A plan from its JSON; None when its fields are not those of this version."""
    built = _build(Plan, data)
    return built if isinstance(built, Plan) else None


def _build(kind: Any, data: Any) -> Any:
    if not is_dataclass(kind):
        return data
    names = {field.name for field in fields(kind)}
    if not isinstance(data, dict) or set(data) != names:
        return None
    hints = get_type_hints(kind)
    values = {name: _build(hints[name], data[name]) for name in names}
    if any(is_dataclass(hints[name]) and values[name] is None for name in names):
        return None
    return kind(**values)  # type: ignore[operator]


def read_history(host: Host) -> tuple[Set, ...]:
    """The sets, oldest first.

    Raises:
        LanpiError: the file is damaged.
    """
    try:
        text = host.get(HISTORY, root=True)
    except FileNotFoundError:
        return ()
    try:
        return tuple(Set(**entry) for entry in json.loads(text))
    except (ValueError, TypeError) as error:
        raise LanpiError(
            f"the list of earlier limits is damaged ({HISTORY}: {error})",
            host=host.name,
            next_step="Move the file away; this does not change the limits in effect",
        ) from error


def write_history(host: Host, sets: Sequence[Set]) -> None:
    """Put the sets on the Pi, the newest :data:`SETS_KEPT` of them."""
    text = json.dumps([asdict(entry) for entry in sets[-SETS_KEPT:]], indent=1, sort_keys=True) + "\n"
    host.run(["mkdir", "-p", HISTORY.rpartition("/")[0]], root=True)
    host.put(HISTORY, text.encode(), mode=0o644, root=True)


def in_effect(sets: Sequence[Set]) -> Set | None:
    """The set that was put in effect last."""
    return next((entry for entry in reversed(sets) if entry.state == "in effect"), None)


def find(sets: Sequence[Set], number: int) -> Set | None:
    """The set of that number, None when it was dropped."""
    return next((entry for entry in sets if entry.number == number), None)


def with_state(
    sets: Sequence[Set], number: int, state: Literal["started", "in effect", "replaced", "rolled back"]
) -> tuple[Set, ...]:
    """The sets with one of them in another state; what was in effect before is replaced by one that is now."""
    return tuple(
        replace(entry, state=state)
        if entry.number == number
        else replace(entry, state="replaced")
        if state == "in effect" and entry.state in ("in effect", "started")
        else entry
        for entry in sets
    )


class Machine(Protocol):
    """The properties of a machine that limits are made for: :class:`lanpi.tuning.model.Inputs`, or a status reading."""

    @property
    def memory_bytes(self) -> int: ...
    @property
    def cores(self) -> int: ...
    @property
    def storage(self) -> str: ...


def misfits(made_for: Machine, now: Machine) -> tuple[str, ...]:
    """Why installed limits no longer fit a machine, for example after the card was moved to another Pi.

    Args:
        made_for: the machine that they were decided for.
        now: the machine as it is.

    Returns:
        One line for each reason; empty when they fit.
    """
    reasons = []
    memory, was = now.memory_bytes, made_for.memory_bytes
    if abs(memory - was) > max(was * MEMORY_TOLERANCE, 2 * k.MEMORY_STEP_BYTES):
        reasons.append(f"made for {was // k.MIB:,} MiB of memory, but there are {memory // k.MIB:,} MiB")
    if now.cores != made_for.cores:
        reasons.append(f"made for {made_for.cores} cores, but there are {now.cores}")
    if now.storage != made_for.storage:
        reasons.append(f"made for {made_for.storage} storage, but it is {now.storage}")
    return tuple(reasons)
