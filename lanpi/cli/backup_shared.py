"""What the modules of ``lanpi backup`` share: access to a Pi's backup program, and how to describe a snapshot."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lanpi.cli.options import Login, open_target
from lanpi.cli.terminal import Terminal

if TYPE_CHECKING:
    from lanpi.backup.remote import Program
    from lanpi.hosts import Host

MEGABYTE = 1024 * 1024


@contextmanager
def opened(target: str | None, terminal: Terminal, login: Login) -> "Iterator[tuple[Host, Program]]":
    """The Pi and its backup program, with its steps on the terminal."""
    from lanpi.backup.remote import Program
    from lanpi.cli.install_report import TerminalReporter

    with open_target(target, terminal, login) as host, TerminalReporter(terminal, verbose=False) as report:
        yield host, Program(host, report)


def holds(summary: dict[str, Any]) -> str:
    return (
        f"It holds {summary['people']} people, {summary['messages']} messages, {summary['rooms']} rooms and "
        f"{summary['uploads']} files: {size(summary['bytes'])} in all"
    )


def size(length: int) -> str:
    return f"{length / MEGABYTE:.1f} MB"
