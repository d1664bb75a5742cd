"""A server's data from one Pi to another, streamed through this machine: both sides of it, and one round."""

from dataclasses import dataclass
from typing import Any

from lanpi.backup.carry import carry
from lanpi.backup.remote import SENT, Program
from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.progress import Progress

MEGABYTE = 1024 * 1024
TAKEN = "/var/lib/lanpi/restore/new"
"""Where the Pi that takes gathers what comes (lanpi/pi/backup/restore.py)."""


@dataclass(frozen=True)
class Side:
    """A Pi and the backup program on it."""

    host: Host
    program: Program


def carry_over(giver: Side, given: dict[str, Any], taker: Side, report: Progress) -> int:
    """Copy what the taker does not have yet, and let it compare everything with its hashes.

    Args:
        given: the result of the giver's verb: folder with the data, content (path of what they hold).

    Returns:
        Bytes that went over.

    Raises:
        LanpiError: BLOCKED (no space, an unfinished restore there), FAILED (something did not arrive as sent).
    """
    place = f"{SENT}/content.json"
    taker.host.put(place, giver.host.get(given["content"], root=True), root=True)
    wanted = taker.program.run("take", place)
    report.begin(f"Copying {wanted['to_come'] / MEGABYTE:.1f} MB to the new Pi")
    total = max(1, wanted["to_come"])
    sent = carry(
        *(giver.host, given["folder"], taker.host, TAKEN, [tuple(entry) for entry in wanted["wanted"]]),
        heard=lambda done: report.advance(min(100, done * 100 // total)),
    )
    report.end()
    taker.program.run("taken")
    return sent


def forget(giver: Side, report: Progress) -> None:
    """Remove the copy that the giver made: it is as secret as the data, and as large."""
    try:
        giver.program.run("give-end")
    except LanpiError as error:  # report what failed before; a later backup removes the copy
        report.note(f"the copy that was moved is still on {giver.host.name}: {error}")
