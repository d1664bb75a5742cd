"""``lanpi user``: accounts. Passwords come from a prompt, a file, or are generated; never from an argument."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lanpi.cli.common import installed_server
from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.im.admin import generate_password

app = typer.Typer(no_args_is_help=True, help="Add, list and remove accounts, and change passwords.")

NameArgument = Annotated[str, typer.Argument(help="The part of the address before the @.", show_default=False)]
AccountPasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Read the account's password from FILE; with --generate, write it to FILE (mode 0600).",
        show_default=False,
    ),
]
Generate = Annotated[bool, typer.Option("--generate", help="Generate a password.")]


@dataclass(frozen=True)
class SshLogin(Login):
    """Here --password-file is the account's."""

    ssh_password_file: Annotated[
        Path | None,
        typer.Option(
            "--ssh-password-file", metavar="FILE", help="Read the SSH password from FILE.", show_default=False
        ),
    ] = None


# RFC 7622 3.3 allows far more; these are the ones that every app, keyboard and QR code handles.
_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}$")
PASSWORD_MIN = 8


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise LanpiError(
            f"{name!r} is not a valid account name",
            next_step="Use lower-case letters, digits, dots, hyphens and underscores, such as anna or anna.b",
            exit_code=ExitCode.BAD_INPUT,
        )
    return name


def _password(terminal: Terminal, name: str, file: Path | None, generate: bool) -> tuple[str, bool]:
    """The password and whether it has to be shown."""
    if generate:
        password = generate_password()
        if file:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as handle:
                handle.write(password + "\n")
        return password, file is None
    if file:
        try:
            password = file.read_text().rstrip("\n")
        except OSError as error:
            raise LanpiError(f"cannot read {file}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
    else:
        typed = terminal.ask_secret(f"New password for {name} (leave empty to generate one): ")
        if not typed:
            return generate_password(), True
        if terminal.ask_secret("Repeat the password: ") != typed:
            raise LanpiError("the passwords do not match", exit_code=ExitCode.BAD_INPUT)
        password = typed
    if len(password) < PASSWORD_MIN:
        raise LanpiError(
            f"the password is shorter than {PASSWORD_MIN} characters",
            next_step="Choose a longer one, or pass --generate",
            exit_code=ExitCode.BAD_INPUT,
        )
    return password, False


@app.command()
@with_login
def add(
    name: NameArgument,
    target: TargetArgument = None,
    password_file: AccountPasswordFile = None,
    generate: Generate = False,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Create an account.

    \b
    Examples:
      lanpi user add anna pi@raspberrypi.local
      lanpi user add ben pi@raspberrypi.local --generate
    """
    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        server = installed_server(host)
        password, show = _password(terminal, _checked(name), password_file, generate)
        server.add(name, password)
    _say(terminal, f"{name}@{server.domain}", password if show else None, "Created")


@app.command()
@with_login
def passwd(
    name: NameArgument,
    target: TargetArgument = None,
    password_file: AccountPasswordFile = None,
    generate: Generate = False,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Change an account's password.

    \b
    Example:
      lanpi user passwd anna pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        server = installed_server(host)
        password, show = _password(terminal, _checked(name), password_file, generate)
        server.set_password(name, password)
    _say(terminal, f"{name}@{server.domain}", password if show else None, "Changed the password of")


@app.command("list")
@with_login
def list_accounts(target: TargetArgument = None, *, login: SshLogin, json_output: Json = False) -> None:
    """List the accounts, and show who is online.

    \b
    Example:
      lanpi user list pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        server = installed_server(host)
        names, sessions = server.accounts(), server.online()
    bare = [session.partition("/")[0] for session in sessions]
    rows = [(f"{name}@{server.domain}", bare.count(f"{name}@{server.domain}")) for name in names]
    if json_output:
        terminal.json({"accounts": [{"address": address, "sessions": count} for address, count in rows]})
    else:
        terminal.table(("Address", "Sessions"), [(address, str(count) if count else "-") for address, count in rows])


@app.command()
@with_login
def remove(
    name: NameArgument,
    target: TargetArgument = None,
    *,
    login: SshLogin,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Remove an account with its messages, contacts and files.

    \b
    Example:
      lanpi user remove ben pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        server = installed_server(host)
        question = f"Permanently remove {name}@{server.domain} with all its messages, contacts and files?"
        if not terminal.confirm(question):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        server.remove(name)
    _say(terminal, f"{name}@{server.domain}", None, "Removed")


def _say(terminal: Terminal, address: str, password: str | None, done: str) -> None:
    if terminal.json_output:
        terminal.json({"address": address} | ({"password": password} if password else {}))
        return
    terminal.result(f"{done} {address}")
    if password:
        terminal.result(f"Password: {password}   (shown only once)")
