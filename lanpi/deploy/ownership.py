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


def owned() -> tuple[Ownership, ...]:
    """What the roles declare under some configuration: whatever is made, and files that are not for everybody.

    For a look at a Pi whose configuration is not known yet: what is not there is not judged.
    """
    found: dict[str, Ownership] = {}
    for declared in declarations().values():
        for made in declared.made:
            found.setdefault(made.path, _ownership(made))
        for file in (*declared.early_files, *declared.files):
            restricted = file.owner != "root" or not int(file.mode, 8) & 0o004
            if restricted and "{" not in file.path:
                group = file.group or file.owner
                found.setdefault(file.path, Ownership(file.path, file.owner, group, file.mode, tuple(file.restarts)))
    return tuple(found.values())


def _ownership(entry: MadeEntry) -> Ownership:
    return Ownership(entry.path, entry.owner, entry.group or entry.owner, entry.mode, tuple(entry.restarts))
