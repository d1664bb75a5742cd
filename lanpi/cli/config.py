"""``lanpi config``: the example, what is in effect and why, and a check for mistakes."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.options import ConfigFile, Json, Login, Settings, TargetArgument, open_target, with_login
from lanpi.cli.terminal import Terminal

app = typer.Typer(no_args_is_help=True, help="Show and check settings.")


@app.command()
def example() -> None:
    """Print a file with every setting, its meaning and its default.

    \b
    Example:
      lanpi config example > lanpi.yml
    """
    from lanpi.config.example import example as text

    Terminal().raw(text())


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file with settings.", show_default=False)],
    json_output: Json = False,
) -> None:
    """Check a file for mistakes, and report all of them at once.

    \b
    Example:
      lanpi config check lanpi.yml
    """
    from lanpi.config.load import effective, leaves, load_file

    terminal = Terminal(json_output=json_output)
    found = effective({}, load_file(file), [])
    values = leaves(found.config)
    given = {path: values[path] for path, origin in found.origins.items() if origin.kind == "file"}
    if json_output:
        terminal.json({"file": str(file), "valid": True, "settings": given})
        return
    count = f"{len(given)} setting{'' if len(given) == 1 else 's'}" if given else "no settings, so the defaults apply"
    terminal.result(f"{file} is valid: {count}")


@app.command()
@with_login
def show(
    target: TargetArgument = None,
    config: ConfigFile = None,
    settings: Settings = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Show the settings in effect on a Pi.

    lanpi shows each value with its origin. With --config or --set, it shows the settings as `lanpi install`
    with the same options would leave them.

    \b
    Examples:
      lanpi config show pi@raspberrypi.local
      lanpi config show pi@raspberrypi.local --set im.mqtt=true
    """
    from lanpi import paths
    from lanpi.config.load import effective, leaves, load_file, parse, parse_setting

    terminal = Terminal(json_output=json_output)
    from_file: dict[str, Any] = load_file(config) if config else {}
    from_options = [parse_setting(setting) for setting in settings or []]
    effective({}, from_file, from_options)  # report a mistake here before connecting to anything
    pi: dict[str, Any] = {}
    with open_target(target, terminal, login) as host:
        try:
            # Everybody may read it there, so nobody is asked for a password for sudo.
            text = host.get(paths.PI_CONFIG).decode(errors="replace")
        except FileNotFoundError:
            terminal.note(
                f"lanpi is not installed on {host.name} ({paths.PI_CONFIG} is missing), so these are the defaults"
            )
        else:
            pi = parse(text, f"{paths.PI_CONFIG} on {host.name}")
    found = effective(pi, from_file, from_options)
    values = leaves(found.config)
    if json_output:
        terminal.json(
            {
                path: {"value": value, "origin": origin.kind, "source": origin.source, "line": origin.line}
                for path, value in values.items()
                for origin in [found.origins[path]]
            }
        )
        return
    rows = [(path, _shown(value), str(found.origins[path])) for path, value in values.items()]
    terminal.table(("KEY", "VALUE", "FROM"), rows)


def _shown(value: Any) -> str:
    """As it is written in YAML."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
