"""``lanpi virtual``: Pis in containers of this machine, to try, rehearse and test with."""

import json
import os
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="virtual",
    no_args_is_help=True,
    help="Virtual Pis on this Linux machine: try lanpi out, rehearse a change, prove a backup.",
)

Name = Annotated[str, typer.Argument(help="Its host name: letters, digits, hyphens.")]


def _result(text: str) -> None:
    typer.echo(text)


def _progress(text: str) -> None:
    typer.echo(text, err=True)


@app.command()
def up(
    name: Name = "pi",
    model: Annotated[
        str | None, typer.Option(help="zero2w, 3b+, 4-2g, 4-4g (default), 4-8g or 5-8g.", show_default=False)
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="trixie (default) or bookworm.", show_default=False)
    ] = None,
    passwordless_sudo: Annotated[
        bool, typer.Option("--passwordless-sudo", help="sudo asks for no password.")
    ] = False,
    card_mb: Annotated[
        int | None, typer.Option("--card-mb", min=1500, help="Size of its card in MB.", show_default=False)
    ] = None,
) -> None:
    """Make and boot a virtual Pi; one that is there is started, or left alone when it runs."""
    from lanpi.virtual import lifecycle

    already = any(pi.name == name and pi.running for pi in lifecycle.list_all())
    pi = lifecycle.up(
        name,
        model=model,
        suite=suite,
        passwordless_sudo=passwordless_sudo,
        card_mb=card_mb,
        on_step=_progress,
    )
    if not pi.memory_capped:
        _progress(f"Warning: this machine's kernel does not enforce the {pi.model}'s memory.")
    _result(f"{name} ({pi.model}, {pi.suite}) {'already runs' if already else 'is up'} at {pi.address}")
    _progress(f"Next: lanpi install virtual:{name}, or look around: lanpi virtual shell {name}")


@app.command()
def down(
    name: Annotated[str, typer.Argument(help="Which one.", show_default=False)] = "",
    everything: Annotated[bool, typer.Option("--all", help="All virtual Pis of this machine.")] = False,
) -> None:
    """Shut a virtual Pi down and remove all of it, its files included."""
    from lanpi.errors import ExitCode, LanpiError
    from lanpi.virtual import lifecycle

    if bool(name) == everything:
        raise LanpiError(
            "say which virtual Pi to remove",
            next_step="Run: lanpi virtual down NAME, or lanpi virtual down --all",
            exit_code=ExitCode.BAD_INPUT,
        )
    names = [pi.name for pi in lifecycle.list_all()] if everything else [name]
    for each in names:
        lifecycle.down(each)
        _result(f"{each} is removed")
    if not names:
        _result("There are no virtual Pis")


@app.command("list")
def list_pis(as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False) -> None:
    """Show this machine's virtual Pis."""
    from lanpi.virtual import lifecycle
    from lanpi.virtual.models import MODELS
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    rows: list[dict[str, Any]] = [
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
        for pi in lifecycle.list_all()
    ]
    if as_json:
        _result(json.dumps(rows, indent=2))
    elif not rows:
        _result("There are no virtual Pis. Make one: lanpi virtual up")
    else:
        _result(f"{'NAME':<16}{'MODEL':<8}{'SUITE':<10}{'ADDRESS':<17}STATE")
        for row in rows:
            state = "running" if row["running"] else "stopped"
            _result(f"{row['name']:<16}{row['model']:<8}{row['suite']:<10}{row['address']:<17}{state}")


@app.command()
def shell(
    name: Name = "pi",
    command: Annotated[
        list[str] | None, typer.Argument(help="Run this instead of a login shell.", show_default=False)
    ] = None,
) -> None:
    """Log in to a virtual Pi over SSH, as its user pi."""
    from lanpi.errors import ExitCode, LanpiError
    from lanpi.virtual import lifecycle
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    pi = lifecycle.get(name)
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
    from lanpi.virtual import lifecycle
    from lanpi.virtual.requirements import check_requirements

    check_requirements()
    _result(lifecycle.get(name).password)


@app.command()
def reboot(name: Name = "pi") -> None:
    """Reboot a virtual Pi and wait until it is back."""
    from lanpi.virtual import lifecycle

    lifecycle.reboot(name, on_step=_progress)
    _result(f"{name} is back")


@app.command()
def kill(name: Name = "pi") -> None:
    """Cut a virtual Pi's power: everything in it ends at once, its files stay as they are."""
    from lanpi.virtual import lifecycle

    lifecycle.kill(name)
    _result(f"{name} has no power")
    _progress(f"Next: lanpi virtual start {name}")


@app.command()
def start(name: Name = "pi") -> None:
    """Start a virtual Pi that was stopped or killed."""
    from lanpi.virtual import lifecycle

    pi = lifecycle.start(name, on_step=_progress)
    _result(f"{name} runs at {pi.address}")
