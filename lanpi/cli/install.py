"""``lanpi install``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.options import (
    AcceptNewHostKey,
    IdentityFile,
    Json,
    PasswordFile,
    SudoPasswordFile,
    TargetArgument,
    Yes,
    open_target,
)
from lanpi.cli.terminal import Terminal

app = typer.Typer()


@app.command()
def install(
    target: TargetArgument = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings (see lanpi config).", show_default=False)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="One setting, KEY=VALUE; may be repeated.", show_default=False),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Show every change as a diff; touch nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also on a system that lanpi does not know.")] = False,
    reboot: Annotated[bool, typer.Option("--reboot", help="Reboot the Pi when a change needs it.")] = False,
    lock_seconds: Annotated[
        float,
        typer.Option("--lock-wait", min=0, help="Seconds to wait for another program that installs packages there."),
    ] = 600,
    admin_password_file: Annotated[
        Path | None,
        typer.Option(
            "--admin-password-file",
            help="Write the administrator's new password there (0600) instead of showing it.",
            show_default=False,
        ),
    ] = None,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Show Ansible's tasks.")] = 0,
    password_file: PasswordFile = None,
    sudo_password_file: SudoPasswordFile = None,
    identity: IdentityFile = None,
    accept_new_host_key: AcceptNewHostKey = False,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Bring a Pi to a working messaging server, prove it with a message, and say what to do next.

    Run it again at any time: it changes only what is not as it should be.
    """
    from lanpi.cli.install_report import TerminalReporter, log_path, say_outcome
    from lanpi.config.load import effective, load_file, parse, parse_setting
    from lanpi.config.model import Config
    from lanpi.provision.install import Options
    from lanpi.provision.install import install as run

    terminal = Terminal(json_output=json_output, yes=yes)
    from_file: dict[str, Any] = load_file(config) if config else {}
    from_options = [parse_setting(setting) for setting in settings or []]
    effective({}, from_file, from_options)  # a wrong key is said before anything is connected

    def configure(pi_text: str | None) -> Config:
        pi = parse(pi_text, "/etc/lanpi/lanpi.yml on the Pi") if pi_text else {}
        return effective(pi, from_file, from_options).config

    log = log_path(target)
    options = Options(check=check, force=force, reboot=reboot, lock_seconds=lock_seconds, log=log, verbosity=verbose)
    with (
        open_target(
            target,
            terminal,
            password_file=password_file,
            sudo_password_file=sudo_password_file,
            identity=identity,
            accept_new_host_key=accept_new_host_key,
        ) as host,
        TerminalReporter(terminal, verbose=verbose > 0) as report,
    ):
        outcome = run(host, configure, options, report)
    say_outcome(terminal, outcome, options, target, admin_password_file)
