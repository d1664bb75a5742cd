"""How long-running work reports its progress; the CLI renders it."""

from typing import Protocol


class Progress(Protocol):
    """Steps, one after the other, and notes in between."""

    def begin(self, step: str) -> None:
        """A step starts."""
        ...

    def advance(self, percent: int) -> None:
        """This much of the current step is done."""
        ...

    def end(self, detail: str = "") -> None:
        """The current step is done."""
        ...

    def note(self, text: str) -> None:
        """Something the user should know."""
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
