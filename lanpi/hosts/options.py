"""How to connect, as the user asked for it."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError

SSH_PASSWORD_VARIABLE = "LANPI_SSH_PASSWORD"  # noqa: S105 - a variable's name
SUDO_PASSWORD_VARIABLE = "LANPI_SUDO_PASSWORD"  # noqa: S105 - a variable's name


def cannot_ask(_: str) -> str | None:
    """Where there is no terminal."""
    return None


def cannot_confirm(_: str) -> bool | None:
    """Where there is no terminal."""
    return None


@dataclass(frozen=True)
class ConnectOptions:
    """What commands pass on from their options and their terminal.

    Attributes:
        accept_new_host_key: pin an unknown host key without asking.
        password_file, sudo_password_file: files with one line each, readable by nobody else.
        identity_file: private key to log in with.
        connect_timeout_seconds: how long a connection may take to come up.
        ask_secret: asks on the terminal; returns None where there is none.
        confirm: asks yes or no; returns None where there is no terminal.
        ssh_config: OpenSSH's client configuration to honour.
    """

    accept_new_host_key: bool = False
    password_file: Path | None = None
    sudo_password_file: Path | None = None
    identity_file: Path | None = None
    connect_timeout_seconds: float = 10.0
    ask_secret: Callable[[str], str | None] = cannot_ask
    confirm: Callable[[str], bool | None] = cannot_confirm
    ssh_config: Path = Path("~/.ssh/config")

    def check_files(self) -> None:
        """Refuse a file with a password that others can read, or that cannot be read, before anything is connected to.

        Raises:
            LanpiError: BAD_INPUT with the file and what to do.
        """
        for path in (self.password_file, self.sudo_password_file):
            if path is not None:
                _secret(path, "")

    def ssh_password(self) -> str | None:
        """From the file or the environment, never from an argument."""
        return _secret(self.password_file, SSH_PASSWORD_VARIABLE)

    def sudo_password(self) -> str | None:
        """From the file or the environment."""
        return _secret(self.sudo_password_file, SUDO_PASSWORD_VARIABLE)


def _secret(path: Path | None, variable: str) -> str | None:
    if path is None:
        return os.environ.get(variable)
    try:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            raise LanpiError(
                f"other users can read the password file {path}",
                next_step=f"Run: chmod 600 {path}",
                exit_code=ExitCode.BAD_INPUT,
            )
        return path.read_text().rstrip("\n")
    except OSError as error:
        raise LanpiError(
            f"cannot read the password file {path}: {error.strerror}", exit_code=ExitCode.BAD_INPUT
        ) from error
