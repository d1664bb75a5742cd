"""The state of what the roles declare on a Pi, read in one round trip."""

import json
from dataclasses import dataclass, field
from typing import Any

from lanpi.deploy.desired import Desired
from lanpi.facts.records import build_record
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class FileState:
    """A file that lanpi placed, as it is now.

    Attributes:
        digest: SHA-256 of its content with placeholders for the secrets in it.
        mode: four octal digits.
        owner, group: names.
    """

    digest: str
    mode: str
    owner: str
    group: str


@dataclass(frozen=True)
class Owners:
    """Mode (four octal digits), owner and group of a path."""

    mode: str
    owner: str
    group: str


@dataclass(frozen=True)
class State:
    """What is on a Pi of what the roles declare.

    Attributes:
        files: those that lanpi placed and that are there.
        placed: the paths that lanpi remembers to have placed.
        made: of the declared ones, those that are there.
        pending: restarts and reloads that written files still ask for: unit -> verb; "apt" for a refresh.
        units: systemd's properties by name.
        packages: of the declared ones, those that are installed.
        unfinished: packages that dpkg has left half done.
        trees: folders of static files by name, and whether each has the content that its name says.
    """

    files: dict[str, FileState]
    placed: tuple[str, ...]
    made: dict[str, Owners]
    pending: dict[str, str]
    units: dict[str, dict[str, str]]
    packages: tuple[str, ...]
    unfinished: tuple[str, ...]
    trees: dict[str, bool] = field(default_factory=dict)


def read_state(host: Host, desired: Desired) -> State:
    """Read the state of what is desired; changes nothing.

    Args:
        host: the Pi, as root.
        desired: says what to look at.

    Raises:
        LanpiError: FAILED when the reading broke, and what ``Host.run`` raises.
    """
    asked = {
        "units": [unit["name"] for unit in desired.units],
        "packages": list(desired.packages),
        "made": [made.path for made in desired.made],
    }
    done = run_program(host, "lanpi.pi.read.state", [json.dumps(asked)], root=True, timeout_seconds=TIMEOUT_SECONDS)
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return state_from_json(done.text)
    except (ValueError, TypeError) as error:
        raise broken_reading(host, done, error) from error


def state_from_json(text: str) -> State:
    """The Pi's answer.

    Raises:
        ValueError: not JSON, or a value is missing, unknown or of another type.
    """
    data: dict[str, Any] = json.loads(text)
    return build_record(State, data, "state")
