"""``lanpi install``."""

import socket
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.options import ConfigFile, Json, Login, Settings, TargetArgument, Verbose, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer()


@app.command()
@with_login
def install(
    target: TargetArgument = None,
    config: ConfigFile = None,
    settings: Settings = None,
    check: Annotated[bool, typer.Option("--check", help="Show every change as a diff, but change nothing.")] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Install even on a system that lanpi does not support, or whose server has moved to another Pi.",
        ),
    ] = False,
    reboot: Annotated[bool, typer.Option("--reboot", help="Reboot the Pi if a change needs it.")] = False,
    lock_seconds: Annotated[
        float,
        typer.Option("--lock-wait", metavar="SECONDS", min=0, help="Wait this long for another package installation."),
    ] = 600,
    admin_password_file: Annotated[
        Path | None,
        typer.Option(
            "--admin-password-file",
            metavar="FILE",
            help="Write the new administrator's password to FILE (mode 0600) instead of showing it.",
            show_default=False,
        ),
    ] = None,
    verbose: Verbose = 0,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Install lanpi on a Pi, or bring an installation up to date.

    At the end lanpi sends a test message and tells you what to do next. You can run this command again at any
    time: it changes only what differs from the desired state.

    Without TARGET, lanpi asks before it makes this machine a messaging server. In a terminal, the first install asks
    for the domain, which cannot be changed later; --set domain=NAME or --yes answers in advance.

    \b
    Examples:
      lanpi install pi@raspberrypi.local
      lanpi install pi@raspberrypi.local --set domain=chat.example.org
      lanpi install pi@raspberrypi.local --config lanpi.yml --check
    """
    from lanpi.cli.install_report import TerminalReporter, log_path, say_outcome
    from lanpi.config.load import effective, load_file, parse, parse_setting
    from lanpi.config.model import Config
    from lanpi.flows.install import Options
    from lanpi.flows.install import install as run

    terminal = Terminal(json_output=json_output, yes=yes)
    from_file: dict[str, Any] = load_file(config) if config else {}
    from_options = [parse_setting(setting) for setting in settings or []]
    effective({}, from_file, from_options)  # report a wrong key before connecting to anything

    def configure(pi_text: str | None) -> Config:
        pi = parse(pi_text, "/etc/lanpi/lanpi.yml on the Pi") if pi_text else {}
        return effective(pi, from_file, from_options).config

    if target is None and not check:
        _confirm_this_machine(terminal)
    log = log_path(target)
    options = Options(
        check=check, force=force, reboot=reboot, lock_seconds=lock_seconds, log=log, verbosity=verbose, bring_back=force
    )
    with (
        open_target(target, terminal, login) as host,
        TerminalReporter(terminal, verbose=verbose > 0) as report,
    ):
        choose = _no_choice if check or json_output else partial(_choose_domain, terminal)
        outcome = run(host, configure, options, report, choose)
    say_outcome(terminal, outcome, options, admin_password_file)


def _confirm_this_machine(terminal: Terminal) -> None:
    """A forgotten target must not turn a laptop into a server; where lanpi is already, nothing is asked.

    As apt-get(8) does: without a terminal, only --yes goes ahead (or the target ``local``, which is no oversight).
    """
    from lanpi import paths

    if Path(paths.PI_INSTALLED).exists():
        return
    question = f"No target was named. Make this machine ({socket.gethostname()}) a messaging server?"
    if not terminal.confirm(question):
        raise LanpiError(
            "nothing was installed",
            next_step="For another machine: lanpi install USER@HOST",
            exit_code=ExitCode.BAD_INPUT,
        )


def _no_choice(proposal: str) -> None:
    """Nobody is asked: the proposal is taken."""


def _choose_domain(terminal: Terminal, proposal: str) -> str | None:
    """Ask for what comes after the @ until it is a domain; None where nobody can be asked."""
    from lanpi.config.domain import check_domain

    question = (
        f"People's addresses end in the domain of the server, such as anna@{proposal}. It cannot be changed later.\n"
        "Domain"
    )
    while (typed := terminal.ask_text(question, proposal)) is not None:
        try:
            return check_domain(typed)
        except ValueError as error:
            terminal.error(f"{typed}: {error}")
            question = "Domain"
    return None
