"""The options for logging in, which commands get as one argument."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer.testing import CliRunner

from lanpi.cli.options import Json, Login, with_login


@dataclass(frozen=True)
class OtherLogin(Login):
    """Another name for an option."""

    ssh_password_file: Annotated[Path | None, typer.Option("--ssh-password-file")] = None


got: list[tuple[Login, bool]] = []
app = typer.Typer()


@app.command()
@with_login
def plain(target: str, *, login: Login, json_output: Json = False) -> None:
    """A command with the usual options."""
    got.append((login, json_output))


@app.command()
@with_login
def other(password_file: Path, *, login: OtherLogin, json_output: Json = False) -> None:
    """One that has a password file of its own."""
    got.append((login, json_output))


def run(*words: str) -> tuple[Login, bool]:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return got.pop()


def test_options_arrive_as_one_argument():
    login, json_output = run("plain", "pi", "--password-file", "/p", "-i", "/k", "--accept-new-host-key", "--json")
    assert login == Login(ssh_password_file=Path("/p"), identity=Path("/k"), accept_new_host_key=True)
    assert json_output


def test_without_options_nothing_is_set():
    assert run("plain", "pi") == (Login(), False)


def test_a_command_may_name_an_option_otherwise():
    login, _ = run("other", "/account", "--ssh-password-file", "/p")
    assert login == OtherLogin(ssh_password_file=Path("/p"))
