"""Invitations: making, listing and revoking them, and putting whoever used one into its groups.

ejabberd makes and checks the tokens (mod_invites; XEP-0401, XEP-0445). It knows no groups, gives each token the same
time, and tells nobody when one is used: that is what the record is for, and `settle`, which the welcome service runs.
"""

import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanpi.pi.im import groups, record
from lanpi.pi.im.api import Refused
from lanpi.pi.im.groups import Place
from lanpi.pi.im.problem import Problem
from lanpi.pi.im.record import Invitation

LONGEST_SECONDS = 30 * 86400
"""How long ejabberd itself lets a token live (token_expire_seconds in its configuration); shorter ones end by lanpi."""
MOST_OPEN = 1000
"""ejabberd refuses to have more tokens of one inviter (OVERUSE_LIMIT in mod_invites.hrl), and all are the server's."""

_TOKEN = re.compile(r"preauth=([A-Za-z0-9]+)")
NO_COMMAND = "404"


@dataclass(frozen=True)
class Wish:
    """One invitation to make.

    Attributes:
        name: local part to reserve; empty lets the person choose.
        person: for whom it is, in the operator's words; may be empty.
        groups: what the newcomer is put into.
    """

    name: str
    person: str
    groups: tuple[str, ...]


def make(
    place: Place, wishes: Sequence[Wish], seconds: int, path: Path = record.PATH, now: Callable[[], float] = time.time
) -> list[Invitation]:
    """Make invitations: all of them, or none.

    Args:
        place: the server.
        wishes: one for each invitation.
        seconds: how long they can be used.
        path: of the record.
        now: the clock, in seconds since the epoch.

    Raises:
        Problem: a group does not exist, a name is taken, or ejabberd cannot.
    """
    known = groups.names(place)
    for group in sorted({group for wish in wishes for group in wish.groups}):
        if group not in known:
            raise Problem(f"there is no group {group}", f"Create it first: lanpi group add {group}")
        groups.require_room(place, group, sum(group in wish.groups for wish in wishes))
    made: list[Invitation] = []
    with record.changing(now(), path) as invitations:
        taken = sum(each.state == record.OPEN for each in invitations)
        if taken + len(wishes) > MOST_OPEN:
            raise Problem(
                f"{taken} invitations are open, and ejabberd allows {MOST_OPEN} at a time",
                "Revoke some of them, or wait until they are used",
            )
        try:
            for wish in wishes:
                token = _token(place, wish.name)
                began = int(now())
                made.append(Invitation(token, "account", wish.name, wish.person, wish.groups, began, began + seconds))
        except Problem:
            for each in made:
                delete(place, each.token)
            raise
        invitations.extend(made)
    return made


def reset(
    place: Place, name: str, seconds: int, path: Path = record.PATH, now: Callable[[], float] = time.time
) -> Invitation:
    """A link with which a person sets a new password; earlier ones of theirs end.

    Raises:
        Problem: there is no such account, or ejabberd cannot.
    """
    with record.changing(now(), path) as invitations:
        for position, each in enumerate(invitations):
            if each.state == record.OPEN and each.kind == "reset" and each.name == name:
                delete(place, each.token)
                invitations[position] = each.over(record.REVOKED, now())
        uri = _made(place, "generate_reset_token", username=name, host=place.domain)
        began = int(now())
        made = Invitation(_TOKEN.findall(uri)[0], "reset", name, "", (), began, began + seconds)
        invitations.append(made)
    return made


def revoke(
    place: Place, identity: str, path: Path = record.PATH, now: Callable[[], float] = time.time
) -> list[Invitation]:
    """End open invitations: one by its identity, or all of them for ``all``.

    Raises:
        Problem: no open invitation has that identity.
    """
    ended: list[Invitation] = []
    with record.changing(now(), path) as invitations:
        for position, each in enumerate(invitations):
            if each.state == record.OPEN and identity in ("all", each.identity, each.token):
                delete(place, each.token)
                invitations[position] = each.over(record.REVOKED, now())
                ended.append(invitations[position])
    if not ended and identity != "all":
        raise Problem(f"there is no open invitation {identity}", "`lanpi invite list` shows all invitations")
    return ended


def settle(
    place: Place,
    used: dict[str, str],
    path: Path = record.PATH,
    now: Callable[[], float] = time.time,
) -> list[Invitation]:
    """Put whoever used an invitation into its groups, and end those whose time is over.

    An invitation is marked as used after its groups have been joined: a power cut before that repeats them.

    Args:
        place: the server.
        used: tokens that have been used -> the address of the account.
        path: of the record.
        now: the clock.

    Returns:
        The invitations that are open still.
    """
    with record.changing(now(), path) as invitations:
        known: list[str] | None = None
        for position, each in enumerate(invitations):
            if each.state != record.OPEN:
                continue
            if each.token in used:
                name = used[each.token].rpartition("@")[0]
                known = groups.names(place) if known is None else known
                for group in each.groups:
                    if group in known and groups.room_left(place, group) > 0:
                        groups.join(place, group, [name])
                    else:
                        sys.stderr.write(f"{name} is not in {group}: the group is full, or was removed\n")
                delete(place, each.token)
                invitations[position] = each.over(record.USED, now(), name)
            elif each.expires <= now():
                delete(place, each.token)
                invitations[position] = each.over(record.EXPIRED, now())
        return [each for each in invitations if each.state == record.OPEN]


def _token(place: Place, name: str) -> str:
    if name:
        uri = _made(place, "generate_invite_with_username", username=name, host=place.domain)
    else:
        uri = _made(place, "generate_invite", host=place.domain)
    return str(_TOKEN.findall(uri)[0])


def _made(place: Place, command: str, **arguments: str) -> str:
    try:
        answer: Any = place.ask(command, **arguments)
    except Refused as refused:
        name = arguments.get("username", "")
        if refused.status == NO_COMMAND or "host_unknown" in refused.said or "not known" in refused.said:
            # The module is not loaded: not switched on, or not in this release. An install says which.
            raise Problem(
                "invitations are switched off on this Pi",
                "Run: lanpi install --set im.registration=invite. If its ejabberd does not support invitations, create "
                "accounts instead: lanpi user import FILE",
            ) from refused
        if "already taken" in refused.said or "user_exists" in refused.said:
            raise Problem(f"the account {name}@{place.domain} exists already", "Choose another name") from refused
        if "reserved" in refused.said:
            raise Problem(
                f"there is already an open invitation for {name}@{place.domain}",
                "Revoke it first: `lanpi invite list` shows it",
            ) from refused
        raise Problem(f"ejabberd refused to make an invitation: {refused.said}", bad_input=False) from refused
    return str(answer["invite_uri"] if isinstance(answer, dict) else answer[0])


def delete(place: Place, token: str) -> None:
    """Delete a token; one that is gone, or of a server without invitations by now, cannot be used either."""
    try:
        place.ask("delete_invite_by_token", host=place.domain, token=token)
    except Refused as refused:
        if refused.status != NO_COMMAND and "not_found" not in refused.said:
            raise
