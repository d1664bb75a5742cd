"""Read a Pi's logs: merged, filtered and redacted on the Pi."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.records import build_record
from lanpi.hosts.base import Completed, Host
from lanpi.pi.logs.lines import LEVELS
from lanpi.ship.bundle import broken_reading, stream_program


@dataclass(frozen=True)
class Entry:
    """A line of a log: seconds since the epoch, who says it, how bad, what (secrets redacted)."""

    when: float
    source: str
    level: str
    text: str


SERVICES = ("ejabberd", "redis", "postgresql", "epmd", "nginx", "lanpi", "kernel")
"""What a source's name begins with; lanpi's own units can be named one by one too (lanpi-backup)."""
_ALIASES = {"redis-server": "redis", "im": "ejabberd", "web": "nginx"}


def target_and_services(words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The words of ``lanpi logs``, in any order: known names of services, and what is left is the target.

    A machine that is called like a service is reached as USER@NAME.

    Raises:
        LanpiError: BAD_INPUT when more than one word is left.
    """
    services: dict[str, None] = {}
    targets = []
    for word in words:
        name = word.removesuffix(".service").removesuffix(".timer")
        name = _ALIASES.get(name, name)
        if name in SERVICES or name.startswith("lanpi-"):
            services[name] = None
        else:
            targets.append(word)
    if len(targets) > 1:
        raise LanpiError(
            f"only one of {' and '.join(map(repr, targets))} can be the target",
            next_step=f"The services are {', '.join(SERVICES)} and lanpi's units, such as lanpi-backup",
            exit_code=ExitCode.BAD_INPUT,
        )
    return (targets[0] if targets else None), tuple(services)


def read_logs(
    host: Host,
    on_entry: Callable[[Entry], None],
    *,
    root: bool,
    since_seconds: float = 3600,
    services: Sequence[str] = (),
    level: str = "debug",
    grep: str = "",
    follow: bool = False,
) -> None:
    """Hand over the entries in time order; with ``follow`` it does not end by itself.

    Args:
        host: the machine.
        on_entry: is given each entry.
        root: read as root; other users cannot read most logs.
        since_seconds: how far back.
        services: names that a source begins with ("ejabberd", "redis", "lanpi", "kernel"); all without.
        level: the lowest of ``LEVELS`` that is shown.
        grep: regular expression that the text must match, capitals or not.
        follow: go on with new entries.

    Raises:
        LanpiError: BAD_INPUT for an invalid level or expression, FAILED when reading failed, and what
            ``Host.stream`` raises.
    """
    _check(services, level, grep)
    rest = b""

    def take(data: bytes) -> None:
        nonlocal rest
        *whole, rest = (rest + data).split(b"\n")
        for text in whole:
            on_entry(build_record(Entry, json.loads(text), "entry"))

    arguments = [
        f"--since-seconds={since_seconds:g}",
        f"--level={level}",
        f"--grep={grep}",
        f"--services={','.join(services)}",
        *(["--follow"] if follow else []),
    ]
    status = stream_program(host, "lanpi.pi.logs.collect", arguments, take, root=root)
    if status != 0:
        raise broken_reading(host, Completed("python3", status, b"", b""), f"exit status {status}")


def _check(services: Sequence[str], level: str, grep: str) -> None:
    if level not in LEVELS:
        raise LanpiError(
            f"{level!r} is not a valid level", next_step=f"Use one of {', '.join(LEVELS)}", exit_code=ExitCode.BAD_INPUT
        )
    for name in services:
        if not re.fullmatch(r"[\w@.-]+", name):
            raise LanpiError(
                f"{name!r} is not a valid service name",
                next_step="Use ejabberd, redis, lanpi, kernel or the name of a unit",
                exit_code=ExitCode.BAD_INPUT,
            )
    try:
        re.compile(grep)
    except re.error as error:
        raise LanpiError(
            f"{grep!r} is not a valid regular expression: {error}",
            next_step="Escape special characters with \\",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
