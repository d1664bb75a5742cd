"""``lanpi alert``: how the Pi tells its administrator that something failed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer(no_args_is_help=True, help="Choose how the Pi tells you about failures, and test it.")

WayArgument = Annotated[
    str,
    typer.Argument(
        metavar="WAY",
        help="xmpp (the administrator's account), mailto:ADDRESS, or a web address such as https://ntfy.sh/TOPIC.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class SshLogin(Login):
    """Here --password-file is the mail server's."""

    ssh_password_file: Annotated[
        Path | None,
        typer.Option(
            "--ssh-password-file", metavar="FILE", help="Read the SSH password from FILE.", show_default=False
        ),
    ] = None


@app.command()
@with_login
def add(
    way: WayArgument,
    target: TargetArgument = None,
    smtp: Annotated[
        str, typer.Option("--smtp", metavar="HOST[:PORT]", help="For mailto: the mail server.", show_default=False)
    ] = "",
    security: Annotated[
        str,
        typer.Option("--security", metavar="starttls|tls|none", help="For mailto: how the connection is encrypted."),
    ] = "",
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="For mailto: user name at the mail server.")] = "",
    sender: Annotated[str, typer.Option("--from", metavar="ADDRESS", help="For mailto: sender of the mail.")] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help="Read the mail server's password, or the web address's access token, from FILE.",
            show_default=False,
        ),
    ] = None,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Add a way to tell you about failures, after sending a test.

    lanpi changes the settings only if the test was accepted. The password or token is stored on the Pi, where
    only root can read it (/etc/lanpi/alert.env), and is part of the encrypted backup.

    \b
    Examples:
      lanpi alert add https://ntfy.sh/my-secret-topic pi@raspberrypi.local
      lanpi alert add mailto:anna@example.org pi@raspberrypi.local --smtp smtp.example.org
    """
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.alerts import Way, adding, attempt, keep_secret, read_config, read_text
    from lanpi.flows.install import Options, install

    terminal = Terminal(json_output=json_output)
    chosen = Way(way, _smtp(smtp, security, user, sender), _secret(password_file))
    with open_target(target, terminal, login) as host, TerminalReporter(terminal, verbose=False) as report:
        known = read_config(host)
        config = adding(chosen)(read_text(host)).model_copy(update={"domain": known.domain})
        report.begin(f"Sending a test to {way}")
        attempt(host, config, chosen)
        report.end()
        keep_secret(host, chosen)
        done = install(host, adding(chosen), Options(log=log_path(target)), report)
    if json_output:
        terminal.json({"event": "outcome", "way": way, "changed": list(done.changed)})
        return
    terminal.result(f"Alerts now also go to {way}. Check that the test has arrived there.")


@app.command("list")
@with_login
def list_ways(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """List the ways in which the Pi tells you about failures.

    \b
    Example:
      lanpi alert list pi@raspberrypi.local
    """
    from lanpi.flows.alerts import read_config

    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        config = read_config(host)
    if json_output:
        terminal.json({"to": list(config.alert.to), "backup_failures": config.backup.notify})
        return
    for way in config.alert.to:
        terminal.result(f"xmpp ({config.admin}@{config.domain})" if way == "xmpp" else way)
    if not config.backup.notify:
        terminal.warn("alerts about failed backups are switched off (backup.notify)")


@app.command()
@with_login
def remove(
    way: WayArgument, target: TargetArgument = None, *, login: Login, yes: Yes = False, json_output: Json = False
) -> None:
    """Remove a way to tell you about failures.

    lanpi removes its password or token too.

    \b
    Example:
      lanpi alert remove mailto:anna@example.org pi@raspberrypi.local
    """
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.alerts import forget_secret, read_config, read_text, removing
    from lanpi.flows.install import Options, install

    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        left = [each for each in read_config(host).alert.to if each != way]
        removing(way, host.name)(read_text(host))
        if not terminal.confirm(f"Stop sending alerts of {host.name} to {way}?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            done = install(host, removing(way, host.name), Options(log=log_path(target)), report)
            forget_secret(host, way, left)
    if json_output:
        terminal.json({"event": "outcome", "way": way, "changed": list(done.changed)})
        return
    terminal.result(f"Alerts no longer go to {way}.")


@app.command()
@with_login
def test(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Send a test in every way.

    The exit code is 1 if one of them failed.

    \b
    Example:
      lanpi alert test pi@raspberrypi.local
    """
    from lanpi.flows.alerts import read_config
    from lanpi.flows.alerts import test as run

    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        ways = read_config(host).alert.to
        failed = run(host)
    if json_output:
        terminal.json({"sent": [way for way in ways if way not in failed], "failed": failed})
    else:
        for way in ways:
            if way in failed:
                terminal.error(f"{way}: {failed[way]}")
            else:
                terminal.result(f"A test was sent to {way}.")
    if failed:
        raise typer.Exit(int(ExitCode.FAILED))


def _smtp(smtp: str, security: str, user: str, sender: str) -> dict[str, Any]:
    """The options for mail as keys of the section ``alert``; what is not given stays as it is on the Pi."""
    host, colon, port = smtp.rpartition(":") if smtp.count(":") == 1 else (smtp, "", "")
    if colon and not port.isdigit():
        raise LanpiError(
            f"{smtp!r} is not a mail server",
            next_step="Write it as HOST or HOST:PORT, such as smtp.example.org:465",
            exit_code=ExitCode.BAD_INPUT,
        )
    given = {
        "smtp_host": host,
        "smtp_port": int(port) if port else 0,
        "smtp_security": security,
        "smtp_user": user,
        "smtp_from": sender,
    }
    return {name: value for name, value in given.items() if value}


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise LanpiError(f"cannot read {file}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
    if not lines or not lines[0].strip():
        raise LanpiError(
            f"{file} is empty", next_step="Write the password into its first line", exit_code=ExitCode.BAD_INPUT
        )
    return lines[0].strip()
