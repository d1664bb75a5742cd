"""Options that commands share, and the way from them to a connected Pi."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from lanpi.cli.terminal import Terminal
from lanpi.hosts import ConnectOptions, Host, open_host, parse_target
from lanpi.hosts.inventory import Inventory

TargetArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="USER@HOST[:PORT], a name from `lanpi host`, virtual:NAME, or local. Without one: this machine.",
        show_default=False,
    ),
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File with the SSH password.", show_default=False)
]
SudoPasswordFile = Annotated[
    Path | None,
    typer.Option("--sudo-password-file", help="File with the password for sudo.", show_default=False),
]
IdentityFile = Annotated[
    Path | None, typer.Option("--identity", "-i", help="Private SSH key to log in with.", show_default=False)
]
AcceptNewHostKey = Annotated[
    bool, typer.Option("--accept-new-host-key", help="Trust the key of a host seen for the first time.")
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", help="File with settings (see lanpi config).", show_default=False)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be repeated.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Say more.")]


def open_target(
    target: str | None,
    terminal: Terminal,
    *,
    password_file: Path | None = None,
    sudo_password_file: Path | None = None,
    identity: Path | None = None,
    accept_new_host_key: bool = False,
) -> AbstractContextManager[Host]:
    """Connect to what the user named.

    Raises:
        LanpiError: BAD_INPUT for a target that is none; UNREACHABLE, REFUSED as the connection has it.
    """
    options = ConnectOptions(
        accept_new_host_key=accept_new_host_key,
        password_file=password_file,
        sudo_password_file=sudo_password_file,
        identity_file=identity,
        ask_secret=terminal.ask_secret,
        confirm=terminal.confirm_or_none,
    )
    return open_host(parse_target(Inventory().resolve(target)), options)
