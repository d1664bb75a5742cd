"""``lanpi host``: short names for Pis, and the host keys that they are known by."""

from typing import Annotated

import typer

from lanpi.cli.options import Json, Yes
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import ConnectOptions, parse_target
from lanpi.hosts.inventory import Inventory

app = typer.Typer(no_args_is_help=True, help="Short names for your Pis, and their host keys.")

Name = Annotated[str, typer.Argument(help="The short name.", show_default=False)]


@app.command()
def add(
    name: Name,
    target: Annotated[
        str, typer.Argument(help="What it stands for, such as pi@raspberrypi.local.", show_default=False)
    ],
) -> None:
    """Give a Pi a short name, which every command then takes as its target."""
    parse_target(target)
    inventory = Inventory()
    before = inventory.names().get(name)
    inventory.add(name, target)
    Terminal().result(f"{name} is {target}" + (f", no longer {before}" if before not in (None, target) else ""))


@app.command("list")
def list_hosts(json_output: Json = False) -> None:
    """Show the names."""
    terminal = Terminal(json_output=json_output)
    names = Inventory().names()
    if json_output:
        terminal.json(names)
    elif names:
        terminal.table(("NAME", "TARGET"), sorted(names.items()))
    else:
        terminal.result("There are no names. Give one: lanpi host add NAME USER@HOST")


@app.command()
def remove(name: Name) -> None:
    """Forget a name; the Pi itself stays as it is."""
    Inventory().remove(name)
    Terminal().result(f"{name} is forgotten")


@app.command("accept-key")
def accept_key(
    target: Annotated[str, typer.Argument(help="USER@HOST[:PORT] or a name.", show_default=False)],
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Trust the host key that a Pi shows now, after its card was written anew.

    Both fingerprints are shown first. No login is tried.
    """
    from lanpi.hosts.accept import pinned_name, shown_key
    from lanpi.hosts.known_hosts import KnownHosts

    terminal = Terminal(json_output=json_output, yes=yes)
    parsed = parse_target(Inventory().resolve(target))
    if parsed.kind != "ssh":
        raise LanpiError(
            f"{target} is not reached over a network: it has no pinned host key", exit_code=ExitCode.BAD_INPUT
        )
    options, known = ConnectOptions(), KnownHosts()
    name = pinned_name(parsed, options)
    old, new = known.get(name), shown_key(parsed, options, known)
    if old != new:
        terminal.note(f"trusted so far: {old.fingerprint if old else 'none'}")
        terminal.note(f"shown now:      {new.fingerprint} ({new.kind})")
        if not terminal.confirm(f"Trust the key that {target} shows now, and only that one?"):
            raise LanpiError("the key was not accepted", host=target, exit_code=ExitCode.REFUSED)
        known.pin(name, new)
    if json_output:
        terminal.json(
            {
                "name": name,
                "fingerprint": new.fingerprint,
                "before": old.fingerprint if old else None,
                "changed": old != new,
            }
        )
    elif old == new:
        terminal.result(f"{target} still has the key that is trusted: {new.fingerprint}")
    else:
        terminal.result(f"{target} is now known by {new.fingerprint}")
