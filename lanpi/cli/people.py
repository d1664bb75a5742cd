"""What the commands about people share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.common import installed_server
from lanpi.cli.options import Login, open_target
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.im.people import manage

GroupOption = Annotated[
    list[str] | None,
    typer.Option("--group", "-g", metavar="GROUP", help="Put them into GROUP; can be repeated.", show_default=False),
]
NoGroup = Annotated[bool, typer.Option("--no-group", help="Put them into no group, not even everyone.")]


@dataclass(frozen=True)
class SshLogin(Login):
    """For the commands about accounts: there, --password-file is the account's."""

    ssh_password_file: Annotated[
        Path | None,
        typer.Option(
            "--ssh-password-file", metavar="FILE", help="Read the SSH password from FILE.", show_default=False
        ),
    ] = None


@dataclass(frozen=True)
class People:
    """The people of one Pi.

    Attributes:
        host: the Pi.
        domain: its XMPP domain.
    """

    host: Host
    domain: str

    def do(self, action: str, **arguments: Any) -> dict[str, Any]:
        """As :func:`lanpi.im.people.manage`."""
        return manage(self.host, self.domain, action, **arguments)


@contextmanager
def people_of(target: str | None, terminal: Terminal, login: Login) -> Iterator[People]:
    """Connect to the Pi that the user named, on which lanpi is installed.

    Raises:
        LanpiError: as ``open_target``; BAD_INPUT when lanpi is not installed there.
    """
    with open_target(target, terminal, login) as host:
        yield People(host, installed_server(host).domain)


def wanted_groups(group: list[str] | None, no_group: bool) -> list[str]:
    """The groups of --group.

    Raises:
        LanpiError: BAD_INPUT for --group together with --no-group.
    """
    if group and no_group:
        raise LanpiError("--group and --no-group exclude each other", exit_code=ExitCode.BAD_INPUT)
    return group or []


def write_private(file: Path, data: bytes) -> None:
    """Write what only the operator may read: mode 0600 from the first byte on.

    Raises:
        LanpiError: BAD_INPUT when the file cannot be written.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            os.fchmod(descriptor, 0o600)
            handle.write(data)
    except OSError as error:
        raise LanpiError(f"cannot write {file}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error


def counted(number: int, one: str, many: str | None = None) -> str:
    """``1 session``, ``2 sessions``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def note_no_group(terminal: Terminal) -> None:
    """Say why newcomers are put into no group."""
    terminal.note(
        terminal.place.complete(
            "They are in no group: everyone does not exist (lanpi group add everyone), or has no room for that many."
        )
    )
