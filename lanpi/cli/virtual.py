"""``lanpi virtual``: Pis in containers on this machine, for trials, rehearsals and tests."""

import os
from typing import Annotated

import typer

from lanpi.cli.terminal import Terminal

app = typer.Typer(
    name="virtual",
    no_args_is_help=True,
    help="Run virtual Pis on this Linux machine, to try lanpi, rehearse a change or test a backup.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The virtual Pi's host name.")]


@app.command()
def up(
    name: Name = "pi",
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="zero2w, 3b+, 4-2g, 4-4g (default), 4-8g or 5-8g.", show_default=False),
    ] = None,
    suite: Annotated[
        str | None, typer.Option(metavar="SUITE", help="trixie (default) or bookworm.", show_default=False)
    ] = None,
    passwordless_sudo: Annotated[
        bool, typer.Option("--passwordless-sudo", help="Let sudo work without a password.")
    ] = False,
    card_mb: Annotated[
        int | None,
        typer.Option(
            "--card-mb", metavar="MB", min=1500, help="Size of the virtual Pi's card in MB.", show_default=False
        ),
    ] = None,
) -> None:
    """Create and boot a virtual Pi.

    If it exists already, lanpi only starts it; if it is running, nothing happens.

    \b
    Examples:
      lanpi virtual up
      lanpi virtual up small --model 3b+ --suite bookworm
    """
    from lanpi.virtual import lifecycle
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    terminal = Terminal()
    already = any(pi.name == name and pi.running for pi in lifecycle.list_all())
    with terminal.steps() as steps:
        pi = lifecycle.up(
            name,
            model=model,
            suite=suite,
            passwordless_sudo=passwordless_sudo,
            card_mb=card_mb,
            on_step=steps.start,
        )
    if not pi.memory_capped:
        terminal.note(f"Warning: this machine's kernel does not limit memory to that of the {pi.model}.")
    terminal.result(f"{name} ({pi.model}, {pi.suite}) {'is already running' if already else 'is up'} at {pi.address}")
    terminal.note(
        f"To install lanpi on it: `lanpi install virtual:{name}`. To look around: `lanpi virtual shell {name}`"
    )


@app.command()
def down(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The virtual Pi to remove.", show_default=False)] = "",
    everything: Annotated[bool, typer.Option("--all", help="Remove all virtual Pis on this machine.")] = False,
) -> None:
    """Shut down a virtual Pi and remove all its files.

    \b
    Examples:
      lanpi virtual down pi
      lanpi virtual down --all
    """
    from lanpi.errors import ExitCode, LanpiError
    from lanpi.virtual import lifecycle
    from lanpi.virtual.requirements import check_requirements

    if bool(name) == everything:
        raise LanpiError(
            "the name of the virtual Pi is missing" if not everything else "--all does not go with a name",
            next_step="Pass either NAME or --all",
            exit_code=ExitCode.BAD_INPUT,
        )
    check_requirements()
    names = [pi.name for pi in lifecycle.list_all()] if everything else [name]
    for each in names:
        lifecycle.down(each)
        Terminal().result(f"Removed {each}")
    if not names:
        Terminal().result("There are no virtual Pis.")


@app.command("list")
def list_pis(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the virtual Pis on this machine.

    \b
    Example:
      lanpi virtual list
    """
    from lanpi.virtual import lifecycle
    from lanpi.virtual.models import MODELS
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    pis = lifecycle.list_all()
    terminal = Terminal(json_output=as_json)
    if as_json:
        terminal.json(
            [
                {
                    "name": pi.name,
                    "model": pi.model,
                    "suite": pi.suite,
                    "address": pi.address,
                    "running": pi.running,
                    "memory_bytes": MODELS[pi.model].memory_bytes,
                    "memory_capped": pi.memory_capped,
                    "passwordless_sudo": pi.passwordless_sudo,
                }
                for pi in pis
            ]
        )
    elif not pis:
        terminal.result("There are no virtual Pis. Create one with: lanpi virtual up")
    else:
        rows = [(pi.name, pi.model, pi.suite, pi.address, "running" if pi.running else "stopped") for pi in pis]
        terminal.table(("NAME", "MODEL", "SUITE", "ADDRESS", "STATE"), rows)


@app.command()
def shell(
    name: Name = "pi",
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="Run this command instead of a login shell.", show_default=False),
    ] = None,
) -> None:
    """Log in to a virtual Pi over SSH as user pi.

    \b
    Examples:
      lanpi virtual shell pi
      lanpi virtual shell pi uptime
    """
    from lanpi.errors import ExitCode, LanpiError
    from lanpi.virtual import record
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    pi = record.get(name)
    if not pi.running:
        raise LanpiError(
            f"virtual Pi {name!r} is not running",
            next_step=f"Run: lanpi virtual start {name}",
            exit_code=ExitCode.UNREACHABLE,
        )
    options = ["-i", pi.key_path, "-o", f"UserKnownHostsFile={pi.known_hosts}", "-o", "IdentitiesOnly=yes"]
    argv = ["ssh", "-q", *options, "-p", str(pi.port), f"{pi.user}@{pi.address}", *(command or [])]
    os.execvp("ssh", argv)  # noqa: S606 - the terminal belongs to ssh from here on


@app.command()
def password(name: Name = "pi") -> None:
    """Print the password of user pi, which sudo asks for.

    \b
    Example:
      lanpi virtual password pi
    """
    from lanpi.virtual import record
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    Terminal().raw(record.get(name).password + "\n")


@app.command()
def reboot(name: Name = "pi") -> None:
    """Reboot a virtual Pi and wait until it is back.

    \b
    Example:
      lanpi virtual reboot pi
    """
    from lanpi.virtual import lifecycle

    terminal = Terminal()
    with terminal.steps() as steps:
        lifecycle.reboot(name, on_step=steps.start)
    terminal.result(f"{name} is back")


@app.command()
def kill(name: Name = "pi") -> None:
    """Cut the power of a virtual Pi.

    All its processes end at once, and its files stay as they are.

    \b
    Example:
      lanpi virtual kill pi
    """
    from lanpi.virtual import lifecycle

    lifecycle.kill(name)
    Terminal().result(f"Cut the power of {name}")
    Terminal().note(f"To start it again: lanpi virtual start {name}")


@app.command()
def move(
    name: Name,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model to move it to.", show_default=False)],
) -> None:
    """Move a virtual Pi's card to another model.

    This is what happens when you replace a Pi with a bigger one.

    \b
    Example:
      lanpi virtual move pi 5-8g
    """
    from lanpi.virtual import lifecycle

    terminal = Terminal()
    with terminal.steps() as steps:
        pi = lifecycle.move(name, model, on_step=steps.start)
    terminal.result(f"{name} is now a {pi.model}, at {pi.address}")


@app.command()
def start(name: Name = "pi") -> None:
    """Start a virtual Pi that was stopped or killed.

    \b
    Example:
      lanpi virtual start pi
    """
    from lanpi.virtual import lifecycle

    terminal = Terminal()
    with terminal.steps() as steps:
        pi = lifecycle.start(name, on_step=steps.start)
    terminal.result(f"{name} is running at {pi.address}")
