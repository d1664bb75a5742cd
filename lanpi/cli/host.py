"""``lanpi host``: short names for Pis, and the host keys that identify them."""

from typing import Annotated

import typer

from lanpi.cli.options import Json, Yes
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import ConnectOptions, parse_target
from lanpi.hosts.inventory import Inventory

app = typer.Typer(no_args_is_help=True, help="Manage short names and host keys of your Pis.")

Name = Annotated[str, typer.Argument(help="The short name.", show_default=False)]


@app.command()
def add(
    name: Name,
    target: Annotated[
        str, typer.Argument(help="The target it stands for, such as pi@raspberrypi.local.", show_default=False)
    ],
) -> None:
    """Add a short name for a Pi.

    Every command accepts the name as its target.

    \b
    Example:
      lanpi host add home pi@raspberrypi.local
    """
    parse_target(target)
    inventory = Inventory()
    before = inventory.names().get(name)
    inventory.add(name, target)
    Terminal().result(
        f"{name} now stands for {target}" + (f", no longer for {before}" if before not in (None, target) else "")
    )


@app.command("list")
def list_hosts(json_output: Json = False) -> None:
    """List the names.

    \b
    Example:
      lanpi host list
    """
    terminal = Terminal(json_output=json_output)
    names = Inventory().names()
    if json_output:
        terminal.json(names)
    elif names:
        terminal.table(("NAME", "TARGET"), sorted(names.items()))
    else:
        terminal.result("There are no names yet. Add one with: lanpi host add NAME USER@HOST")


@app.command()
def remove(name: Name) -> None:
    """Remove a name. The Pi itself is not changed.

    \b
    Example:
      lanpi host remove home
    """
    Inventory().remove(name)
    Terminal().result(f"Removed {name}")


@app.command("accept-key")
def accept_key(
    target: Annotated[str, typer.Argument(help="USER@HOST[:PORT], or a name from `lanpi host`.", show_default=False)],
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Trust the new host key of a Pi whose card was written again.

    lanpi shows the old and the new fingerprint first. It does not try to log in.

    \b
    Example:
      lanpi host accept-key pi@raspberrypi.local
    """
    from lanpi.hosts.accept import pinned_name, shown_key
    from lanpi.hosts.known_hosts import KnownHosts

    terminal = Terminal(json_output=json_output, yes=yes)
    parsed = parse_target(Inventory().resolve(target))
    if parsed.kind != "ssh":
        raise LanpiError(
            f"{target} has no host key to accept: lanpi does not reach it over the network",
            exit_code=ExitCode.BAD_INPUT,
        )
    options, known = ConnectOptions(), KnownHosts()
    name = pinned_name(parsed, options)
    old, new = known.get(name), shown_key(parsed, options, known)
    if old != new:
        terminal.note(f"trusted key: {old.fingerprint if old else 'none'}")
        terminal.note(f"new key:     {new.fingerprint} ({new.kind})")
        if not terminal.confirm(f"Trust only the new key of {target} from now on?"):
            raise LanpiError("you did not accept the host key", host=target, exit_code=ExitCode.REFUSED)
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
        terminal.result(f"The host key of {target} has not changed: {new.fingerprint}")
    else:
        terminal.result(f"lanpi now trusts this key of {target}: {new.fingerprint}")
