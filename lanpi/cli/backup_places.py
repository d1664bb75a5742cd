"""``lanpi backup add`` and ``remove``: where backups go."""

from typing import TYPE_CHECKING, Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

if TYPE_CHECKING:
    from lanpi.backup.remote import Program
    from lanpi.flows.places import Access

app = typer.Typer()

PlaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="PLACE",
        help="A folder on the Pi, usb:UUID, sftp:USER@HOST:/FOLDER, rest:URL or s3:URL.",
        show_default=False,
    ),
]


@app.command()
@with_login
def add(
    place: PlaceArgument, target: TargetArgument = None, *, login: Login, yes: Yes = False, json_output: Json = False
) -> None:
    """Add a place for backups, after trying it.

    lanpi writes a file there, reads it back, and only then changes the settings. For another machine by SSH, it
    creates a key on the Pi, shows how to let it in, and asks you to check the other machine's host key.

    \b
    Examples:
      lanpi backup add usb:1234-ABCD pi@raspberrypi.local
      lanpi backup add sftp:pi@nas.local:/srv/backup pi@raspberrypi.local
    """
    from lanpi.backup.remote import send_program
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.config.load import effective
    from lanpi.flows.install import Options, install
    from lanpi.flows.places import access, adding, attempt, require_installed

    effective({}, {}, [{"backup": {"repositories": [place]}}])  # refuse a wrong address before connecting to anything
    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        require_installed(host)
        with TerminalReporter(terminal, verbose=False) as report:
            program = send_program(host, report)
            way = access(program, place)
        if way:
            _let_in(terminal, program, place, way, login.accept_new_host_key)
        with TerminalReporter(terminal, verbose=False) as report:
            tried = attempt(program, place)
            done = install(host, adding(place), Options(log=log_path(target), tried=(place,)), report)
    if json_output:
        terminal.json({"event": "outcome", "place": place, "new": tried.new, "snapshots": tried.snapshots,
                       "changed": list(done.changed)})  # fmt: skip
        return
    there = f"It already holds {tried.snapshots} snapshots of this server." if tried.snapshots else ""
    terminal.result(f"Backups now also go to {place}. {there}".rstrip())
    terminal.result(terminal.place.complete("To make one now: lanpi backup now"))


@app.command()
@with_login
def remove(
    place: PlaceArgument, target: TargetArgument = None, *, login: Login, yes: Yes = False, json_output: Json = False
) -> None:
    """Stop backing up to a place. The snapshots there stay.

    \b
    Example:
      lanpi backup remove usb:1234-ABCD pi@raspberrypi.local
    """
    from lanpi.cli.install_report import TerminalReporter, log_path
    from lanpi.flows.install import Options, install
    from lanpi.flows.places import removing, require_installed

    terminal = Terminal(json_output=json_output, yes=yes)
    with open_target(target, terminal, login) as host:
        require_installed(host)
        if not terminal.confirm(f"Stop backing up {host.name} to {place}?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        with TerminalReporter(terminal, verbose=False) as report:
            done = install(host, removing(place, host.name), Options(log=log_path(target)), report)
    if json_output:
        terminal.json({"event": "outcome", "place": place, "changed": list(done.changed)})
        return
    terminal.result(f"Backups no longer go to {place}. The snapshots there are kept.")


def _let_in(terminal: Terminal, program: "Program", place: str, way: "Access", trust: bool) -> None:
    """Ask for what only a person can do: compare the host key, and let the Pi's key in on the other machine."""
    from lanpi.flows.places import access

    if way.state == "unknown" and way.host_key:
        _trust(terminal, program, way, trust)
        way = access(program, place) or way
    while way.state == "closed":
        terminal.note(f"{way.login} does not let this Pi in yet. Run this there, as that user:\n")
        terminal.note(f"    mkdir -p -m 700 ~/.ssh && echo '{way.public_key}' >> ~/.ssh/authorized_keys\n")
        if not terminal.confirm_or_none("Have you done that?"):
            raise LanpiError(
                f"{way.login} does not let this Pi in: {way.why}",
                next_step="Add the Pi's key to its authorized_keys as shown, then run the same command again",
                exit_code=ExitCode.REFUSED,
            )
        way = access(program, place) or way


def _trust(terminal: Terminal, program: "Program", way: "Access", trust: bool) -> None:
    from lanpi.flows.places import pin

    terminal.note(f"The Pi does not know {way.login} yet. Its host key is:\n\n    {way.fingerprint}\n")
    terminal.note("To compare it, run on that machine: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
    if not (trust or terminal.confirm_or_none("Is this its host key?")):
        raise LanpiError(
            f"the host key of {way.login} is not confirmed",
            next_step="Compare the fingerprint, then run the same command again with --accept-new-host-key",
            exit_code=ExitCode.REFUSED,
        )
    pin(program, way.host_key)
