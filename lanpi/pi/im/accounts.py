"""Accounts: what there is to know of each, and removing one with all that belongs to it."""

import hashlib
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lanpi.pi.checks.names import ACCOUNTS, RESERVED_PREFIX
from lanpi.pi.im import groups, invites, record
from lanpi.pi.im.api import Refused
from lanpi.pi.im.database import ARCHIVED, DISABLED, LAST_SEEN, Database
from lanpi.pi.im.groups import Place
from lanpi.pi.im.problem import Problem

UPLOADS = Path("/var/lib/ejabberd/upload")
NEW_ENOUGH = "this Pi's ejabberd is too old to disable accounts"


def everybody(place: Place) -> list[str]:
    """The people's local parts, sorted; without the accounts that the Pi uses to check itself."""
    return sorted(set(place.ask("registered_users", host=place.domain)) - set(ACCOUNTS))


def require(place: Place, people: Sequence[str]) -> None:
    """Raise a Problem unless all of these accounts exist."""
    missing = sorted(set(people) - set(everybody(place)))
    if missing:
        raise Problem(f"there is no account {missing[0]}@{place.domain}", "`lanpi user list` shows all accounts")


def overview(place: Place, database: Database) -> list[dict[str, Any]]:
    """All accounts: address, number of sessions, when last seen (seconds since the epoch or None), bytes of files."""
    online = [address.partition("/")[0] for address in place.ask("connected_users")]
    seen = {name: int(seconds) for name, seconds in database.pairs(LAST_SEEN).items()}
    disabled = {row[0] for row in database.select(DISABLED)}
    found = []
    for name in everybody(place):
        address = f"{name}@{place.domain}"
        found.append(
            {
                "address": address,
                "sessions": online.count(address),
                "last_seen": seen.get(name),
                "files_bytes": files_bytes(place, name),
                "disabled": name in disabled,
            }
        )
    return found


def show(place: Place, database: Database, name: str, quota_bytes: int) -> dict[str, Any]:
    """All that there is to know of one account."""
    require(place, [name])
    archived = database.pairs(ARCHIVED)
    seen = {user: int(seconds) for user, seconds in database.pairs(LAST_SEEN).items()}
    return {
        "address": f"{name}@{place.domain}",
        "administrator": name == place.admin,
        "disabled": name in {row[0] for row in database.select(DISABLED)},
        "groups": [group for group in groups.names(place) if name in groups.members(place, group)],
        "sessions": sessions(place, name),
        "last_seen": seen.get(name),
        "messages": int(archived.get(name, 0)),
        "files_bytes": files_bytes(place, name),
        "quota_bytes": quota_bytes,
    }


def sessions(place: Place, name: str) -> list[dict[str, Any]]:
    """A person's sessions: resource, address of the device, seconds since it logged in, and its status."""
    require(place, [name])
    found = place.ask("user_sessions_info", user=name, host=place.domain)
    return [
        {
            "resource": each["resource"],
            "ip": str(each["ip"]).removeprefix("::ffff:"),
            "connection": each["connection"],
            "since_seconds": int(each["uptime"]),
            "status": each["status"],
        }
        for each in found
    ]


def kick(place: Place, name: str, resource: str = "") -> int:
    """End a person's sessions, or one of them; their apps can log in again.

    Returns:
        How many were ended.
    """
    open_now = [each["resource"] for each in sessions(place, name)]
    if resource and resource not in open_now:
        raise Problem(f"{name} has no session {resource}", f"`lanpi user sessions {name}` shows all of them")
    for each in [resource] if resource else open_now:
        place.ask("kick_session", user=name, host=place.domain, resource=each, reason="Ended by the administrator")
    return 1 if resource else len(open_now)


def disable(place: Place, name: str, reason: str) -> None:
    """Keep a person out, with everything of theirs kept, until `enable`.

    Raises:
        Problem: the account does not exist, is the administrator's or disabled, or the release cannot.
    """
    require(place, [name])
    if name == place.admin:
        raise Problem("the administrator's account cannot be disabled", "Make another account the administrator first")
    if is_disabled(place, name):
        raise Problem(f"{name}@{place.domain} is disabled already")
    place.ask("ban_account/v2", user=name, host=place.domain, reason=reason)


def enable(place: Place, name: str) -> None:
    """Let a disabled person in again, with the password that they had."""
    require(place, [name])
    if not is_disabled(place, name):
        raise Problem(f"{name}@{place.domain} is not disabled")
    place.ask("unban_account", user=name, host=place.domain)


def is_disabled(place: Place, name: str) -> bool:
    """Whether an account is disabled.

    Raises:
        Problem: this release has no such thing.
    """
    try:
        return bool(place.ask("get_ban_details", user=name, host=place.domain))
    except Refused as refused:
        if refused.status == "404":
            raise Problem(NEW_ENOUGH, "Set im.channel to backports and install again") from refused
        raise


def folder_of(place: Place, name: str) -> Path:
    """Where ejabberd keeps a person's files (mod_http_upload: the SHA-1 of the bare address)."""
    address = f"{name}@{place.domain}".encode()
    return UPLOADS / hashlib.sha1(address, usedforsecurity=False).hexdigest()


def files_bytes(place: Place, name: str) -> int:
    """The bytes of the files that a person sent."""
    total = 0
    for folder, _, files in os.walk(folder_of(place, name)):
        total += sum(os.lstat(f"{folder}/{file}").st_size for file in files)
    return total


def remove(place: Place, database: Database, name: str, *, force: bool = False) -> dict[str, Any]:
    """Remove an account with its messages, files, contacts, sessions, memberships and invitations.

    ejabberd removes what its modules keep by the account's name. It leaves memberships of shared roster groups,
    affiliations in rooms and reset links; whoever got the name later would have them.

    Returns:
        What was removed, counted.

    Raises:
        Problem: the account does not exist, or is the only administrator's and ``force`` is not set.
    """
    require(place, [name])
    if name == place.admin and not force:
        raise Problem(
            f"{name}@{place.domain} is the only administrator",
            "Pass --force to remove it anyway; the next `lanpi install` creates it again, empty",
        )
    counted = {
        "address": f"{name}@{place.domain}",
        "messages": int(database.pairs(ARCHIVED).get(name, 0)),
        "files_bytes": files_bytes(place, name),
        "sessions": len(sessions(place, name)),
    }
    left = [group for group in groups.names(place) if groups.leave(place, group, [name])]
    rooms = []
    for address in place.ask("muc_online_rooms/v0", host=place.rooms):
        room = address.partition("@")[0]
        if groups.affiliations(place, room).get(f"{name}@{place.domain}", "none") != "none":
            groups.affiliate(place, room, name, "none")
            rooms.append(address)
    place.ask("unregister", user=name, host=place.domain)
    return counted | {"groups": left, "rooms": rooms, "links": _revoke_links(place, name)}


def _revoke_links(place: Place, name: str) -> int:
    ended = 0
    with record.changing(time.time(), record.PATH) as invitations:
        for position, each in enumerate(invitations):
            if each.state == record.OPEN and each.kind == "reset" and each.name == name:
                invites.delete(place, each.token)
                invitations[position] = each.over(record.REVOKED, time.time())
                ended += 1
    return ended


def register(place: Place, wanted: Sequence[dict[str, Any]], *, all_or_nothing: bool = False) -> list[dict[str, Any]]:
    """Create accounts, several at a time.

    Args:
        place: the server.
        wanted: name, password and groups of each; the names have been checked.
        all_or_nothing: remove those made when one could not be.

    Returns:
        For each, in order: name, created, and what went wrong otherwise.
    """
    known = groups.names(place)
    missing = sorted({group for each in wanted for group in each["groups"]} - set(known))
    if missing:
        raise Problem(f"there is no group {missing[0]}", f"Create it first: lanpi group add {missing[0]}")
    for group in known:
        groups.require_room(place, group, sum(group in each["groups"] for each in wanted))
    taken = set(place.ask("registered_users", host=place.domain))
    if all_or_nothing and any(each["name"] in taken for each in wanted):
        return [_outcome(each, "the account exists already" if each["name"] in taken else "") for each in wanted]

    def one(each: dict[str, Any]) -> dict[str, Any]:
        if each["name"] in taken:
            return _outcome(each, "the account exists already")
        try:
            place.ask("register", user=each["name"], host=place.domain, password=each["password"])
        except (Refused, OSError) as error:
            return _outcome(each, f"ejabberd refused: {getattr(error, 'said', error)}")
        return _outcome(each, "", created=True)

    with ThreadPoolExecutor(groups.WORKERS) as workers:
        outcomes = list(workers.map(one, wanted))
    if all_or_nothing and not all(each["created"] for each in outcomes):
        for each in outcomes:
            if each["created"]:
                place.ask("unregister", user=each["name"], host=place.domain)
        return [each | {"created": False} for each in outcomes]
    for group in known:
        joining = [
            each["name"]
            for each, outcome in zip(wanted, outcomes, strict=True)
            if outcome["created"] and group in each["groups"]
        ]
        if joining:
            groups.join(place, group, joining)
    return outcomes


def _outcome(each: dict[str, Any], problem: str, *, created: bool = False) -> dict[str, Any]:
    return {"name": each["name"], "created": created, "problem": problem}


def reserved(name: str) -> bool:
    """Whether only lanpi itself can have this name."""
    return name.startswith(RESERVED_PREFIX)
