"""Options that commands share, and the way from them to a connected Pi."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lanpi.cli.terminal import Terminal
from lanpi.errors import LanpiError
from lanpi.hints import HERE, Place
from lanpi.hosts import ConnectOptions, open_host, parse_target
from lanpi.hosts.inventory import Inventory

if TYPE_CHECKING:
    from lanpi.deploy.session import Session


def known_targets(incomplete: str) -> list[str]:
    """The targets that this machine knows and that begin so: names of the inventory, virtual Pis, ``local``."""
    from lanpi.virtual.record import load_all

    try:
        names = [*Inventory().names(), *(f"virtual:{pi.name}" for pi in load_all()), "local"]
    except (LanpiError, OSError):
        return []  # the command itself says what is wrong with the file; a shell that completes has no place for it
    return [name for name in names if name.startswith(incomplete)]


TargetArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="TARGET",
        help="USER@HOST[:PORT], a name from `lanpi host`, virtual:NAME, or local. Default: this machine.",
        show_default=False,
        autocompletion=known_targets,
    ),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="Read settings from FILE.", show_default=False)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set one setting; can be repeated.", show_default=False),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Verbose = Annotated[int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Show Ansible's tasks.")]


@dataclass(frozen=True)
class Login:
    """How to log in over SSH, as a command's options say; each field is one (:func:`with_login`)."""

    ssh_password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help="Read the SSH password from FILE.", show_default=False),
    ] = None
    sudo_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the sudo password from FILE.", show_default=False)
    ] = None
    identity: Annotated[
        Path | None,
        typer.Option("--identity", "-i", metavar="FILE", help="Log in with this private SSH key.", show_default=False),
    ] = None
    accept_new_host_key: Annotated[
        bool, typer.Option("--accept-new-host-key", help="Trust the host key of a machine seen for the first time.")
    ] = False


def with_login(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of its ``login`` argument, whose type is :class:`Login` or a kind of it.

    The command itself gets them as that one argument.
    """
    signature = inspect.signature(command)
    kind = signature.parameters["login"].annotation
    options = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in inspect.signature(kind).parameters.values()
    ]
    names = [option.name for option in options]

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        command(*args, login=kind(**{name: kwargs.pop(name) for name in names}), **kwargs)

    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        parameters += options if parameter.name == "login" else [parameter]
    # typer reads both.
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def place_of(target: str | None, login: Login) -> Place:
    """What a printed command needs to reach the same Pi in the same way."""
    if parse_target(Inventory().resolve(target)).kind == "local":
        return HERE
    files = (login.identity, login.ssh_password_file, login.sudo_password_file)
    return Place(target, *("" if path is None else str(path) for path in files))


@contextmanager
def open_target(target: str | None, terminal: Terminal, login: Login) -> "Iterator[Session]":
    """Connect to what the user named.

    Commands in the messages of errors are completed on the way out.

    Raises:
        LanpiError: BAD_INPUT for an invalid target; UNREACHABLE or REFUSED when the connection fails.
    """
    from lanpi.deploy.session import Session

    options = ConnectOptions(
        accept_new_host_key=login.accept_new_host_key,
        password_file=login.ssh_password_file,
        sudo_password_file=login.sudo_password_file,
        identity_file=login.identity,
        ask_secret=terminal.ask_secret,
        confirm=terminal.confirm_or_none,
    )
    parsed = parse_target(Inventory().resolve(target))
    place = terminal.place = place_of(target, login)
    try:
        with open_host(parsed, options) as host:
            yield Session(host, place)
    except LanpiError as error:
        # Of two Pis, each completes what is said about itself.
        if error.host in ("", parsed.text):
            error.complete(place.complete)
        raise
