"""The note on a Pi whose server has moved to another Pi, and the units that must then stay off."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lanpi.pi.backup.common import command, now
from lanpi.pi.files import write_whole
from lanpi.pi.read.moved import MARKER, moved
from lanpi.pi.read.source import Machine

NOTE = Path(MARKER)
SERVER = "ejabberd.service"
# With the timers: a Pi whose people have moved on must not add old data to their snapshots, nor try to log in.
TIMERS = ("lanpi-backup.timer", "lanpi-backup-care.timer", "lanpi-check.timer")
MDNS = ("avahi-daemon.socket", "avahi-daemon.service")
MDNS_SERVICE = Path("/etc/avahi/services/lanpi.service")  # lanpi placed it: network.hostname_mdns
# roles/network: announces a domain other than the host name; it would start avahi-daemon with it at boot.
NAME_UNIT = Path("/etc/systemd/system/lanpi-name.service")
UNITS = Path("/etc/systemd/system")
STOP_SECONDS = 180.0
START_SECONDS = 300.0


@dataclass(frozen=True)
class Note:
    """Where a server went.

    Attributes:
        to: the new Pi, as the operator calls it.
        when: ISO 8601, UTC.
        domain: of the server.
    """

    to: str
    when: str
    domain: str


def read() -> Note | None:
    """The note; None where no server has moved out."""
    found = moved(Machine())
    return Note(to=found["to"], when=found["when"], domain=found["domain"]) if found else None


def write(note: Note) -> None:
    """Leave a note: from now on, systemd does not start the server (its unit has a condition for that)."""
    write_whole(NOTE, json.dumps(asdict(note), indent=1, sort_keys=True) + "\n", mode=0o644)


def forget() -> None:
    """A server is here again."""
    NOTE.unlink(missing_ok=True)


def leave(domain: str, to: str) -> None:
    """Stop the server permanently, across reboots too, and give up its name on the network.

    The note comes first: a power cut in between must not bring the server back at the next boot.
    """
    write(Note(to, now(), domain))
    stop(domain)


def stop(domain: str) -> None:
    """Stop and disable everything that must not run beside the server on the other Pi."""
    command(["systemctl", "disable", "--now", *units(domain)], seconds=STOP_SECONDS)


def come_back(domain: str) -> None:
    """Undo ``leave``: the move did not work."""
    forget()
    command(["systemctl", "enable", "--now", *units(domain)], seconds=START_SECONDS)


def units(domain: str) -> tuple[str, ...]:
    """The units of this Pi that belong to its server and its name, those that are there.

    avahi-daemon announces NAME.local: while it runs here, phones would keep looking for the server here.
    """
    timers = tuple(name for name in TIMERS if (UNITS / name).exists())
    ours = MDNS_SERVICE.exists() and domain.endswith(".local")
    return (SERVER, *timers, *((NAME_UNIT.name,) if NAME_UNIT.exists() else ()), *(MDNS if ours else ()))
