"""What lanpi knows of each invitation beyond ejabberd's token: the groups, for whom it is, and when it ends.

One file, written atomically under a lock. It is in every backup, beside the database with the tokens themselves.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

PATH = Path("/var/lib/lanpi/people/invitations.json")
KEEP_SECONDS = 90 * 86400
"""How long an invitation that is over stays in `lanpi invite list`."""

OPEN, USED, EXPIRED, REVOKED = "open", "used", "expired", "revoked"
FLAG = "open"
"""A file beside the record, there while an invitation is open: lanpi-welcome.path looks for it."""
ID_LENGTH = 8


@dataclass(frozen=True)
class Invitation:
    """An invitation.

    Attributes:
        token: ejabberd's; whoever has it can use it.
        kind: ``account`` for a new account, ``reset`` for a new password.
        name: local part that the account must have; empty where the person chooses.
        person: for whom it is, in the operator's words.
        groups: what the newcomer is put into.
        made, expires: seconds since the epoch.
        state: open, used, expired or revoked.
        used_by: local part of the account that came of it.
        ended: seconds since the epoch at which it was used, expired or revoked; 0 while open.
    """

    token: str
    kind: str
    name: str
    person: str
    groups: tuple[str, ...]
    made: int
    expires: int
    state: str = OPEN
    used_by: str = ""
    ended: int = 0

    @property
    def identity(self) -> str:
        """Enough of the token to name it by, and too little to use it."""
        return self.token[:ID_LENGTH]

    def over(self, state: str, now: float, used_by: str = "") -> "Invitation":
        """The same, no longer open."""
        return replace(self, state=state, ended=int(now), used_by=used_by)


def load(path: Path = PATH) -> list[Invitation]:
    """The invitations, oldest first; none where there is no file."""
    try:
        kept = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return []
    return [Invitation(**each | {"groups": tuple(each["groups"])}) for each in kept["invitations"]]


@contextlib.contextmanager
def changing(now: float, path: Path = PATH) -> Iterator[list[Invitation]]:
    """The invitations as a list to change; what it is at the end is kept, unless an error ends the block."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Path(f"{path}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        invitations = load(path)
        before = list(invitations)
        yield invitations
        if invitations != before:
            kept = [each for each in invitations if each.state == OPEN or now - each.ended < KEEP_SECONDS]
            # The flag is there whenever the record has an open invitation, also after a power cut in between.
            flag = path.parent / FLAG
            if any(each.state == OPEN for each in kept):
                flag.touch(mode=0o600)
            _write(path, kept)
            if not any(each.state == OPEN for each in kept):
                flag.unlink(missing_ok=True)


def _write(path: Path, invitations: list[Invitation]) -> None:
    text = json.dumps({"version": 1, "invitations": [asdict(each) for each in invitations]}, indent=1)
    new = Path(f"{path}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
