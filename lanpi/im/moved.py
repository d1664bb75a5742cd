"""A Pi whose server has moved to another one knows it, so that nobody starts two servers with one name."""

import contextlib
import json

from lanpi.errors import LanpiError
from lanpi.facts.model import MovedOut
from lanpi.hosts.base import Host
from lanpi.pi.read.moved import MARKER


def forget_moved(host: Host) -> None:
    """A server is here again, or its data are gone."""
    host.run(["rm", "-f", MARKER], root=True)


def read_moved(host: Host) -> MovedOut | None:
    """What the Pi has noted; None where nothing has moved out, or the note cannot be read."""
    with contextlib.suppress(FileNotFoundError, LanpiError):
        try:
            known = json.loads(host.get(MARKER, root=True))
            return MovedOut(*(str(known.get(key) or "") for key in ("when", "domain", "to")))
        except (ValueError, AttributeError):
            return MovedOut("", "", "")
    return None


def moved_text(moved: MovedOut) -> str:
    """That a server has moved, which one, where to and when; as far as it is known."""
    what = f"the server {moved.domain}" if moved.domain else "the server of this Pi"
    where = f" to {moved.to}" if moved.to else " to another Pi"
    return f"{what} moved{where}{f' on {moved.when[:10]}' if moved.when else ''}, and is switched off here"
