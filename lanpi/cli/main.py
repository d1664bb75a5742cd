"""The entry point: finds the command, runs it, and turns every ending into one line and an exit status."""

import importlib
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from lanpi import __version__
from lanpi.cli.commands import COMMANDS
from lanpi.errors import ExitCode, LanpiError

MODULE = "lanpi.cli."
ANYWHERE = ("--debug", "--no-color")
"""Options of ``lanpi`` itself that are understood after the command too, where people write them."""
COMPLETE = "_LANPI_COMPLETE"
"""Set by a shell that asks for completions (click's convention: _PROGRAM_COMPLETE)."""
COMPLETION = ("install_completion", "show_completion")
HELP = {"help_option_names": ["-h", "--help"]}


class LazyGroup(TyperGroup):
    """Imports a command's module when the command runs, not for the list of commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A name and its line for the help; the real command is loaded by resolve_command."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(name=cmd_name, help=COMMANDS[cmd_name])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is about to run, imported now."""
        # typer looks here for its "Did you mean" after a typing error.
        self.commands = {name: self.get_command(ctx, name) for name in COMMANDS}
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(str(name)), rest


def load_command(name: str) -> Any:
    """The click command of one of :data:`lanpi.cli.commands.COMMANDS`, its module imported."""
    command_app: typer.Typer = importlib.import_module(MODULE + name).app
    # Help in plain text throughout: rich's costs 0.18 s of imports here (-X importtime), twice the rest.
    command_app.rich_markup_mode = None
    command = typer.main.get_command(command_app)
    command.name = name
    # typer puts its own completion options on every app that is turned into a command by itself.
    command.params = [each for each in command.params if each.name not in COMPLETION]
    command.context_settings = {**HELP, **command.context_settings}
    return command


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings=HELP,
    help="Run a private messaging server on a Raspberry Pi.\n\n"
    "\b\nExamples:\n"
    "  lanpi install pi@raspberrypi.local\n"
    "  lanpi user add anna pi@raspberrypi.local\n"
    "  lanpi status pi@raspberrypi.local",
    epilog="`lanpi COMMAND --help` describes each command.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lanpi {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    ctx: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback when an error occurs.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Do not use colours (like NO_COLOR).")] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Show more detail.")
    ] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if no_color:
        # rich, Ansible and typer each look there (no-color.org).
        os.environ["NO_COLOR"] = "1"
    if verbose:
        # `lanpi -v install` is `lanpi install -v` for the commands that know the option.
        ctx.default_map = {name: {"verbose": verbose, "apply": {"verbose": verbose}} for name in COMMANDS}


def _terminated(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run lanpi and exit with one of :class:`lanpi.errors.ExitCode`."""
    # A service manager's or a script's "end now" gets the same tidy ending as Ctrl-C.
    signal.signal(signal.SIGTERM, _terminated)
    if hasattr(sys.stdout, "reconfigure"):
        # In a locale without UTF-8 a check mark becomes "?" instead of an error.
        sys.stdout.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line.

    Args:
        arguments: without the program's name.

    Returns:
        The exit status.
    """
    options = list(_before_separator(arguments))
    try:
        if instruction := os.environ.get(COMPLETE):
            return _complete(instruction)
        # Not typer's own main(): it turns Ctrl-C and closed pipes into statuses without a word.
        command = typer.main.get_command(app)
        with command.make_context("lanpi", _hoisted(arguments)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as ended:
        return ended.exit_code
    except BaseException as error:
        if isinstance(error, (SystemExit, GeneratorExit)):
            raise
        if isinstance(error, BrokenPipeError) and _reader_left():
            # Whoever read our output (a pager, head) has seen enough; nothing can be flushed any more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return int(ExitCode.READER_LEFT)
        if _is_help(error):
            print(error, file=sys.stderr)  # noqa: T201
            return int(ExitCode.BAD_INPUT)
        if "--debug" in options:
            traceback.print_exc()
        failure = as_failure(error)
        _say(failure, as_json="--json" in options)
        return int(failure.exit_code)
    return int(ExitCode.DONE)


def _complete(instruction: str) -> int:
    """Answer a shell that asks for completions; ``lanpi completion`` prints what makes it ask."""
    from typer.completion import completion_init, shell_complete  # type: ignore[attr-defined] # not in its __all__

    completion_init()
    return shell_complete(typer.main.get_command(app), {}, "lanpi", COMPLETE, instruction)


def as_failure(error: BaseException) -> LanpiError:
    """Any ending as an expected failure: what to say, and the exit status."""
    if isinstance(error, LanpiError):
        return error
    if isinstance(error, (KeyboardInterrupt, EOFError, typer.Abort)):
        return LanpiError(
            "interrupted",
            next_step="Run the same command again: it continues where it stopped",
            exit_code=ExitCode.INTERRUPTED,
        )
    if hasattr(error, "format_message"):  # click's usage errors, wherever typer keeps their class
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "lanpi"
        return LanpiError(
            error.format_message().rstrip(".").replace("\n", " "),
            next_step=f"Run: {path} --help",
            exit_code=ExitCode.BAD_INPUT,
        )
    return LanpiError(
        f"internal error: {type(error).__name__}: {error}",
        next_step="Run the same command again with --debug, and report what it prints",
        exit_code=ExitCode.FAILED,
    )


def _is_help(error: BaseException) -> bool:
    return type(error).__name__ == "NoArgsIsHelpError"


def _before_separator(arguments: list[str]) -> Iterator[str]:
    """The words that can be options: what follows ``--`` belongs to somebody else."""
    for word in arguments:
        if word == "--":
            return
        yield word


def _hoisted(arguments: list[str]) -> list[str]:
    """The words with lanpi's own options first, wherever they stood."""
    ours = list(_before_separator(arguments))
    others = arguments[len(ours) :]
    return [word for word in ours if word in ANYWHERE] + [word for word in ours if word not in ANYWHERE] + others


def _reader_left() -> bool:
    """Whether it is standard output that nobody reads any more, and not some other pipe that broke."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _say(failure: LanpiError, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {
            "what": failure.what,
            "host": failure.host,
            "next_step": failure.next_step,
            "exit_code": int(failure.exit_code),
        }
        if failure.mistakes:
            told["mistakes"] = [asdict(mistake) for mistake in failure.mistakes]
        print(json.dumps({"error": told}, sort_keys=True, ensure_ascii=False), flush=True)  # noqa: T201
    label = "\033[1;31mlanpi:\033[0m" if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else "lanpi:"
    print(f"{label} {failure}", file=sys.stderr)  # noqa: T201
