"""Passwords to try one after the other: those that were given, then what is typed, and the right one kept in memory."""

from collections.abc import Callable, Iterable, Iterator

TRIES = 3
"""How often a person is asked, as sudo (sudoers(5), "passwd_tries") and ssh (ssh_config(5), "NumberOfPasswordPrompts")
do."""


class Passwords:
    """What may open one door.

    Args:
        given: returns what is to be tried before anybody is asked; None entries are left out. Called when a
            password is needed, not before.
        ask: asks on the terminal; returns None where there is none.
        prompt: the question.

    Attributes:
        right: the password that worked; the only one that is tried from then on.
        nobody_to_ask: in the last round nothing was tried, for nothing was given and there is no terminal.
    """

    def __init__(
        self, given: Callable[[], Iterable[str | None]], ask: Callable[[str], str | None], prompt: str
    ) -> None:
        self._given = given
        self._ask = ask
        self._prompt = prompt
        self.right: str | None = None
        self.nobody_to_ask = False

    def round(self, *, may_ask: bool = True) -> Iterator[str]:
        """The candidates; whoever takes one says with :meth:`worked` when it was right."""
        self.nobody_to_ask = False
        if self.right is not None:
            yield self.right
            return
        given = dict.fromkeys(each for each in self._given() if each is not None)
        yield from given
        prompt = self._prompt
        for _ in range(TRIES if may_ask else 0):
            typed = self._ask(prompt)
            if typed is None:
                self.nobody_to_ask = not given
                return
            yield typed
            prompt = f"Sorry, try again. {self._prompt}"

    def worked(self, password: str) -> None:
        """Remember the right one."""
        self.right = password
