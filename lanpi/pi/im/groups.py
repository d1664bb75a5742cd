"""Groups: people who see each other in their contacts and share a room.

A group is one of mod_shared_roster's, showing itself to its members, and a members-only room of the same name. Every
step looks first or can be repeated, so that a power cut in the middle is healed by doing it again.

The commands are called in the first version of their arguments ("/v0"), which every supported release answers.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lanpi.pi.im import bookmarks
from lanpi.pi.im.api import Ask
from lanpi.pi.im.problem import Problem

EVERYONE = "everyone"
"""The group of whoever is invited without another."""

MOST_MEMBERS = 200
"""Everybody in a group sees everybody. ejabberd looks for the sessions of each member whenever somebody joins, and puts
each into everybody's contacts: with 330 members that took seconds for each newcomer on a busy virtual Pi."""

WORKERS = 4
"""Requests at a time where many people are concerned: a Pi has four cores."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
ROOM_OPTIONS = {
    "persistent": "true",
    "public": "false",
    "members_only": "true",
    "members_by_default": "true",
    "allow_user_invites": "false",
    # End-to-end encryption in a room needs addresses that its members can see (XEP-0384 5.8).
    "anonymous": "false",
    "mam": "true",
    "allow_subscription": "true",
}
"""Of a group's room; the names are ejabberd's (docs.ejabberd.im, "default_room_options")."""


@dataclass(frozen=True)
class Place:
    """Where the commands of this package work.

    Attributes:
        ask: calls ejabberd.
        domain: the XMPP domain.
        admin: local part of the administrator, who owns the rooms.
    """

    ask: Ask
    domain: str
    admin: str

    @property
    def rooms(self) -> str:
        """The domain of the rooms (mod_muc's default)."""
        return f"conference.{self.domain}"


def names(place: Place) -> list[str]:
    """The groups' names, sorted."""
    return sorted(place.ask("srg_list", host=place.domain))


def members(place: Place, group: str) -> list[str]:
    """The local parts of a group's members, sorted."""
    found = place.ask("srg_get_members", group=group, host=place.domain)
    return sorted(address.rpartition("@")[0] for address in found)


def title(place: Place, group: str) -> str:
    """A group's name for people."""
    told = place.ask("srg_get_info", group=group, host=place.domain)
    # ejabberd formats the values as Erlang terms in some releases: <<"Our family">>.
    for each in told:
        key, value = (each["key"], each["value"]) if isinstance(each, dict) else each
        if key in ("label", "name"):
            return re.sub(r'^(<<)?"(.*)"(>>)?$', r"\2", str(value)) or group
    return group


def require(place: Place, group: str) -> None:
    """Raise a Problem unless the group exists."""
    if group not in names(place):
        raise Problem(f"there is no group {group}", "`lanpi group list` shows all groups")


def add(place: Place, group: str, label: str = "") -> dict[str, Any]:
    """Create a group with its room; what exists of it already is kept.

    Raises:
        Problem: the name is not valid, or there is a room with it that belongs to no group.
    """
    if not _NAME.fullmatch(group):
        raise Problem(
            f"{group!r} is not a valid group name",
            "Use lower-case letters, digits, dots, hyphens and underscores, such as family; --title can be anything",
        )
    exists = group in names(place)
    if not exists and f"{group}@{place.rooms}" in place.ask("muc_online_rooms/v0", host=place.rooms):
        raise Problem(f"there is already a room {group} that does not belong to a group", "Choose another name")
    shown = label or (title(place, group) if exists else group)
    if f"{group}@{place.rooms}" not in place.ask("muc_online_rooms/v0", host=place.rooms):
        create_room(place, group, ROOM_OPTIONS | {"title": shown})
    if not exists:
        place.ask("srg_create/v0", group=group, host=place.domain, label=shown, description="", display=group)
    return {"group": group, "title": shown, "room": f"{group}@{place.rooms}", "created": not exists}


def create_room(place: Place, name: str, options: dict[str, str]) -> None:
    """Create a room owned by the administrator."""
    given = [{"name": key, "value": value} for key, value in options.items()]
    place.ask("create_room_with_opts/v0", name=name, service=place.rooms, host=place.domain, options=given)
    affiliate(place, name, place.admin, "owner")


def show(place: Place, group: str) -> dict[str, Any]:
    """A group's title, room and members."""
    require(place, group)
    return {
        "group": group,
        "title": title(place, group),
        "room": f"{group}@{place.rooms}",
        "members": [f"{name}@{place.domain}" for name in members(place, group)],
    }


def remove(place: Place, group: str) -> dict[str, Any]:
    """Remove a group and its room; the people stay, but no longer see each other through it."""
    require(place, group)
    gone = members(place, group)
    for name in gone:
        _forget_bookmark(place, group, name)
    if f"{group}@{place.rooms}" in place.ask("muc_online_rooms/v0", host=place.rooms):
        place.ask("destroy_room", name=group, service=place.rooms)
    place.ask("srg_delete", group=group, host=place.domain)
    return {"group": group, "members": [f"{name}@{place.domain}" for name in gone]}


def room_left(place: Place, group: str) -> int:
    """How many people more can join a group."""
    return MOST_MEMBERS - len(members(place, group))


def defaults(place: Place, people: int) -> tuple[str, ...]:
    """The group of whoever is put into no other: ``everyone``, if it exists and has room for that many more."""
    return (EVERYONE,) if EVERYONE in names(place) and people <= room_left(place, EVERYONE) else ()


def require_room(place: Place, group: str, people: int) -> None:
    """Raise a Problem unless that many more can join."""
    if people > room_left(place, group):
        raise Problem(
            f"the group {group} cannot have more than {MOST_MEMBERS} members, since everybody in it sees everybody",
            "Use several groups, or a room, which can have more people: lanpi room create NAME",
        )


def join(place: Place, group: str, people: list[str]) -> list[str]:
    """Put people into a group, its room and their bookmarks; who is there already stays as they are.

    The caller knows that the group and the people exist.

    Returns:
        Those who were not in it.

    Raises:
        Problem: the group would have too many members.
    """
    shown = title(place, group)
    inside = set(members(place, group))
    require_room(place, group, len(set(people) - inside))
    affiliated = affiliations(place, group)

    def one(name: str) -> None:
        # The room first, then the bookmark that makes apps enter it, then the contacts: each is ready when it is seen.
        if affiliated.get(f"{name}@{place.domain}", "none") in ("none", "outcast"):
            affiliate(place, group, name, "member")
        _bookmark(place, group, name, shown)
        if name not in inside:
            place.ask("srg_user_add", user=name, host=place.domain, group=group, grouphost=place.domain)

    # A bookmark is several transactions, which wait for the card.
    with ThreadPoolExecutor(min(WORKERS, len(people)) or 1) as workers:
        list(workers.map(one, people))
    return [name for name in people if name not in inside]


def leave(place: Place, group: str, people: list[str]) -> list[str]:
    """Take people out of a group, its room and their bookmarks.

    Returns:
        Those who were in it.
    """
    inside = set(members(place, group))
    affiliated = affiliations(place, group)
    for name in people:
        if name in inside:
            place.ask("srg_user_del", user=name, host=place.domain, group=group, grouphost=place.domain)
        _forget_bookmark(place, group, name)
        if affiliated.get(f"{name}@{place.domain}") == "member":
            affiliate(place, group, name, "none")
    return [name for name in people if name in inside]


def affiliations(place: Place, room: str) -> dict[str, str]:
    """Who is what in a room (XEP-0045 5.2): address -> owner, admin, member or outcast; empty where there is none."""
    if f"{room}@{place.rooms}" not in place.ask("muc_online_rooms/v0", host=place.rooms):
        return {}
    found = place.ask("get_room_affiliations/v0", name=room, service=place.rooms)
    return {f"{each['username']}@{each['domain']}": each["affiliation"] for each in found}


def affiliate(place: Place, room: str, name: str, affiliation: str) -> None:
    """Make somebody owner, member, outcast or nothing (``none``) of a room."""
    address = f"{name}@{place.domain}"
    place.ask("set_room_affiliation/v0", name=room, service=place.rooms, jid=address, affiliation=affiliation)


def _stored_bookmarks(place: Place, name: str) -> str:
    stored = place.ask("private_get", user=name, host=place.domain, element="storage", ns=bookmarks.NAMESPACE)
    return str(stored)


def _bookmark(place: Place, group: str, name: str, shown: str) -> None:
    wanted = bookmarks.with_room(_stored_bookmarks(place, name), f"{group}@{place.rooms}", shown, name)
    if wanted:
        place.ask("private_set", user=name, host=place.domain, element=wanted)


def _forget_bookmark(place: Place, group: str, name: str) -> None:
    wanted = bookmarks.without_room(_stored_bookmarks(place, name), f"{group}@{place.rooms}")
    if wanted:
        place.ask("private_set", user=name, host=place.domain, element=wanted)
