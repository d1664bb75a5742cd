"""``lanpi logs``."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lanpi.cli.options import Json, Login, open_target, with_login
from lanpi.cli.terminal import STYLES, Terminal

if TYPE_CHECKING:
    from rich.text import Text

    from lanpi.logs.read import Entry

app = typer.Typer()


@app.command()
@with_login
def logs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET|SERVICE",
            help="A target (default: this machine) and services, in any order: ejabberd, redis, postgresql, epmd, "
            "nginx, kernel, lanpi, or one of lanpi's units (default: all).",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="SPAN", help="How far to look back: 30m, 24h, 7d, 2w.")
    ] = "1h",
    level: Annotated[
        str,
        typer.Option(
            "--level", metavar="LEVEL", help="Lowest level to show: debug, info, notice, warning, error or critical."
        ),
    ] = "debug",
    grep: Annotated[
        str, typer.Option("--grep", metavar="REGEX", help="Show only lines that match.", show_default=False)
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep showing new lines until Ctrl-C.")] = False,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Show the logs of ejabberd, Redis, lanpi's units and the kernel, merged in time order.

    The Pi removes passwords and keys before it sends a line.

    \b
    Examples:
      lanpi logs pi@raspberrypi.local --since 24h --level warning
      lanpi logs pi@raspberrypi.local ejabberd --follow
      lanpi logs pi@raspberrypi.local --grep 'anna@'
    """
    from lanpi.logs.read import read_logs, target_and_services
    from lanpi.spans import parse_span

    target, services = target_and_services(words or ())
    seconds = parse_span(since)
    terminal = Terminal(json_output=json_output)

    def show(entry: "Entry") -> None:
        if json_output:
            terminal.json({"when": entry.when, "source": entry.source, "level": entry.level, "text": entry.text})
        else:
            terminal.result(_line(entry))

    with open_target(target, terminal, login) as host:
        read_logs(
            host,
            show,
            root=host.can_be_root,
            since_seconds=seconds,
            services=services,
            level=level,
            grep=grep,
            follow=follow,
        )


def _line(entry: "Entry") -> "Text":
    from rich.text import Text

    style = STYLES.get("critical" if entry.level == "error" else entry.level, "")
    when = datetime.fromtimestamp(entry.when).astimezone()
    return Text.assemble((f"{when:%Y-%m-%d %H:%M:%S} ", "dim"), f"{entry.source:10} ", (entry.text, style))
