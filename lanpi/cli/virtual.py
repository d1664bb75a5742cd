"""``lanpi virtual``: Pis in containers of this machine, to try, rehearse and test with."""

import os
from typing import Annotated

import typer

from lanpi.cli.terminal import Terminal

app = typer.Typer(
    name="virtual",
    no_args_is_help=True,
    help="Virtual Pis on this Linux machine: try lanpi out, rehearse a change, prove a backup.",
)

Name = Annotated[str, typer.Argument(help="Its host name: letters, digits, hyphens.")]


@app.command()
def up(
    name: Name = "pi",
    model: Annotated[
        str | None, typer.Option(help="zero2w, 3b+, 4-2g, 4-4g (default), 4-8g or 5-8g.", show_default=False)
    ] = None,
    suite: Annotated[str | None, typer.Option(help="trixie (default) or bookworm.", show_default=False)] = None,
    passwordless_sudo: Annotated[bool, typer.Option("--passwordless-sudo", help="sudo asks for no password.")] = False,
    card_mb: Annotated[
        int | None, typer.Option("--card-mb", min=1500, help="Size of its card in MB.", show_default=False)
    ] = None,
) -> None:
    """Make and boot a virtual Pi; one that is there is started, or left alone when it runs."""
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
        terminal.note(f"Warning: this machine's kernel does not enforce the {pi.model}'s memory.")
    terminal.result(f"{name} ({pi.model}, {pi.suite}) {'already runs' if already else 'is up'} at {pi.address}")
    terminal.note(f"Next: `lanpi install virtual:{name}`, or look around: `lanpi virtual shell {name}`")


@app.command()
def down(
    name: Annotated[str, typer.Argument(help="Which one.", show_default=False)] = "",
    everything: Annotated[bool, typer.Option("--all", help="All virtual Pis of this machine.")] = False,
) -> None:
    """Shut a virtual Pi down and remove all of it, its files included."""
    from lanpi.errors import ExitCode, LanpiError
    from lanpi.virtual import lifecycle
    from lanpi.virtual.requirements import check_requirements

    if bool(name) == everything:
        raise LanpiError(
            "say which virtual Pi to remove",
            next_step="Run: lanpi virtual down NAME, or lanpi virtual down --all",
            exit_code=ExitCode.BAD_INPUT,
        )
    check_requirements()
    names = [pi.name for pi in lifecycle.list_all()] if everything else [name]
    for each in names:
        lifecycle.down(each)
        Terminal().result(f"{each} is removed")
    if not names:
        Terminal().result("There are no virtual Pis")


@app.command("list")
def list_pis(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """Show this machine's virtual Pis."""
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
        terminal.result("There are no virtual Pis. Make one: lanpi virtual up")
    else:
        rows = [(pi.name, pi.model, pi.suite, pi.address, "running" if pi.running else "stopped") for pi in pis]
        terminal.table(("NAME", "MODEL", "SUITE", "ADDRESS", "STATE"), rows)


@app.command()
def shell(
    name: Name = "pi",
    command: Annotated[
        list[str] | None, typer.Argument(help="Run this instead of a login shell.", show_default=False)
    ] = None,
) -> None:
    """Log in to a virtual Pi over SSH, as its user pi."""
    from lanpi.errors import ExitCode, LanpiError
    from lanpi.virtual import record
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    pi = record.get(name)
    if not pi.running:
        raise LanpiError(
            f"virtual Pi '{name}' does not run",
            next_step=f"Run: lanpi virtual start {name}",
            exit_code=ExitCode.UNREACHABLE,
        )
    options = ["-i", pi.key_path, "-o", f"UserKnownHostsFile={pi.known_hosts}", "-o", "IdentitiesOnly=yes"]
    argv = ["ssh", "-q", *options, "-p", str(pi.port), f"{pi.user}@{pi.address}", *(command or [])]
    os.execvp("ssh", argv)  # noqa: S606 - the terminal belongs to ssh from here on


@app.command()
def password(name: Name = "pi") -> None:
    """Print the password of a virtual Pi's user pi, for sudo."""
    from lanpi.virtual import record
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    Terminal().raw(record.get(name).password + "\n")


@app.command()
def reboot(name: Name = "pi") -> None:
    """Reboot a virtual Pi and wait until it is back."""
    from lanpi.virtual import lifecycle

    terminal = Terminal()
    with terminal.steps() as steps:
        lifecycle.reboot(name, on_step=steps.start)
    terminal.result(f"{name} is back")


@app.command()
def kill(name: Name = "pi") -> None:
    """Cut a virtual Pi's power: everything in it ends at once, its files stay as they are."""
    from lanpi.virtual import lifecycle

    lifecycle.kill(name)
    Terminal().result(f"{name} has no power")
    Terminal().note(f"Next: lanpi virtual start {name}")


@app.command()
def move(
    name: Name,
    model: Annotated[str, typer.Argument(help="The model that it becomes.", show_default=False)],
) -> None:
    """Put a virtual Pi's card into another model: what happens when a Pi is replaced by a bigger one."""
    from lanpi.virtual import lifecycle

    terminal = Terminal()
    with terminal.steps() as steps:
        pi = lifecycle.move(name, model, on_step=steps.start)
    terminal.result(f"{name} is a {pi.model} now, at {pi.address}")


@app.command()
def start(name: Name = "pi") -> None:
    """Start a virtual Pi that was stopped or killed."""
    from lanpi.virtual import lifecycle

    terminal = Terminal()
    with terminal.steps() as steps:
        pi = lifecycle.start(name, on_step=steps.start)
    terminal.result(f"{name} runs at {pi.address}")
