"""``lanpi completion``: the script that makes a shell complete lanpi's commands, options and targets."""

from enum import StrEnum
from typing import Annotated

import typer

from lanpi.cli.terminal import Terminal

app = typer.Typer()


class Shell(StrEnum):
    """The shells that typer has a script for, less PowerShell: lanpi runs on Linux and macOS."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print the completion script for your shell.

    Add its output to the file that your shell reads at its start.

    \b
    Examples:
      lanpi completion bash >> ~/.bashrc
      lanpi completion zsh >> ~/.zshrc
      lanpi completion fish > ~/.config/fish/completions/lanpi.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined] # typer's own name for it

    from lanpi.cli.main import COMPLETE

    Terminal().raw(get_completion_script(prog_name="lanpi", complete_var=COMPLETE, shell=shell.value) + "\n")
