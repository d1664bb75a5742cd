"""``lanpi install``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.options import ConfigFile, Json, Login, Settings, TargetArgument, Verbose, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal

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

    log = log_path(target)
    options = Options(
        check=check, force=force, reboot=reboot, lock_seconds=lock_seconds, log=log, verbosity=verbose, bring_back=force
    )
    with (
        open_target(target, terminal, login) as host,
        TerminalReporter(terminal, verbose=verbose > 0) as report,
    ):
        outcome = run(host, configure, options, report)
    say_outcome(terminal, outcome, options, target, admin_password_file)
