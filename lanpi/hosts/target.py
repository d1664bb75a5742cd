"""What the user names as target, taken apart; no name is looked up here."""

import re
from dataclasses import dataclass
from typing import Literal

from lanpi.errors import ExitCode, LanpiError

_SSH = re.compile(
    r"^(?:(?P<user>[A-Za-z_][A-Za-z0-9_.-]*)@)?(?P<host>\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>\d{1,5}))?$"
)
_PORT_MAX = 65535


@dataclass(frozen=True)
class Target:
    """A parsed target.

    Attributes:
        text: as the user gave it, for messages.
        kind: this machine, a machine over SSH, or a virtual Pi.
        name: host name, address, or the virtual Pi's name.
        user: None takes ssh_config's, then the operator's own name.
        port: None takes ssh_config's, then 22.
    """

    text: str
    kind: Literal["local", "ssh", "virtual"]
    name: str
    user: str | None = None
    port: int | None = None


def parse_target(text: str | None) -> Target:
    """Take a target apart: ``user@host[:port]``, ``local``, ``virtual:NAME``; None is this machine.

    Raises:
        LanpiError: BAD_INPUT when it is none of these.
    """
    if text is None or text == "local":
        return Target("local", "local", "local")
    if text.startswith("virtual:"):
        return Target(text, "virtual", text.removeprefix("virtual:"))
    match = _SSH.match(text)
    port = int(match.group("port")) if match and match.group("port") else None
    if not match or (port is not None and not 1 <= port <= _PORT_MAX):
        raise LanpiError(
            f"{text!r} is not a valid target",
            next_step="Use USER@HOST, USER@HOST:PORT, local, or virtual:NAME",
            exit_code=ExitCode.BAD_INPUT,
        )
    return Target(text, "ssh", match.group("host").strip("[]"), match.group("user"), port)
