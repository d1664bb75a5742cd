"""How longer work tells what it does; the CLI renders it."""

from typing import Protocol


class Progress(Protocol):
    """Steps one after the other, and what there is to say meanwhile."""

    def begin(self, step: str) -> None:
        """A step starts."""
        ...

    def advance(self, percent: int) -> None:
        """So much of the step that started last is done."""
        ...

    def end(self, detail: str = "") -> None:
        """The step that started last is done."""
        ...

    def note(self, text: str) -> None:
        """Something to know."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, step: str) -> None:
        """Nothing."""

    def advance(self, percent: int) -> None:
        """Nothing."""

    def end(self, detail: str = "") -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""
