"""Whose the files are that lanpi and its services make at run time, and with which modes: as the roles declare it."""

from dataclasses import dataclass

from lanpi.config.model import Config
from lanpi.deploy.declaration import MadeEntry
from lanpi.deploy.expressions import holds
from lanpi.deploy.roles import declarations


@dataclass(frozen=True)
class Ownership:
    """A path's owner and mode.

    Attributes:
        path: on the Pi.
        owner, group: names.
        mode: four octal digits.
        restarts: units that must start again once it was put right.
    """

    path: str
    owner: str
    group: str
    mode: str
    restarts: tuple[str, ...] = ()


def ownership(config: Config) -> tuple[Ownership, ...]:
    """What applies under a configuration, each where it is there.

    Args:
        config: the configuration in effect.
    """
    entries = (entry for declared in declarations().values() for entry in declared.made)
    return tuple(_ownership(entry) for entry in entries if holds(entry.when, {"config": config}))


def _ownership(entry: MadeEntry) -> Ownership:
    return Ownership(entry.path, entry.owner, entry.group or entry.owner, entry.mode, tuple(entry.restarts))
