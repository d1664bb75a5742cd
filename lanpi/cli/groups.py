"""A group of commands one of which is meant where none is named."""

from typing import Any

from typer.core import TyperGroup


class DefaultGroup(TyperGroup):
    """``lanpi tune TARGET`` means ``lanpi tune apply TARGET``: the group's first command is its default."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the default command where the first word is neither a command nor a call for help."""
        if ctx.resilient_parsing and not args:
            pass  # a shell asks what may follow: the commands
        elif not args or not (args[0] in self.commands or args[0] in ctx.help_option_names):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)
