"""``lanpi announce``: a message from the server to everybody."""

import sys
from typing import Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, with_login
from lanpi.cli.people import counted, people_of
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer()


@app.command()
@with_login
def announce(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The message; - reads it from standard input.", show_default=False)
    ],
    target: TargetArgument = None,
    group: Annotated[
        str, typer.Option("--group", "-g", metavar="GROUP", help="Only to the members of GROUP.", show_default=False)
    ] = "",
    online: Annotated[bool, typer.Option("--online", help="Only to those who are online now.")] = False,
    subject: Annotated[
        str, typer.Option("--subject", metavar="TEXT", help="A subject for the message.", show_default=False)
    ] = "",
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Send everybody a message from the server.

    Those who are offline get it when they log in.

    \b
    Examples:
      lanpi announce "The Pi restarts at nine tonight." pi@raspberrypi.local
      lanpi announce "Dinner!" pi@raspberrypi.local --group family --online
    """
    terminal = Terminal(json_output=json_output)
    message = sys.stdin.read() if text == "-" else text
    if not message.strip():
        raise LanpiError("the message is empty", exit_code=ExitCode.BAD_INPUT)
    with people_of(target, terminal, login) as people:
        sent = people.do("announce", text=message.strip(), subject=subject, group=group, online=online)
    if json_output:
        terminal.json(sent)
    else:
        terminal.result(f"Sent to {counted(sent['people'], 'person', 'people')}")
