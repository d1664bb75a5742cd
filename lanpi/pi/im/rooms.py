"""Rooms: creating, listing and destroying them (mod_muc)."""

import re
from typing import Any

from lanpi.pi.im import groups
from lanpi.pi.im.groups import Place
from lanpi.pi.im.problem import Problem

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def overview(place: Place) -> list[dict[str, Any]]:
    """All rooms: address, title, how many are in it now, whether only members may enter, and its group if any."""
    known = groups.names(place)
    found = []
    for address in sorted(place.ask("muc_online_rooms/v0", host=place.rooms)):
        name = address.partition("@")[0]
        options = _options(place, name)
        found.append(
            {
                "room": address,
                "title": options.get("title", ""),
                "people": int(place.ask("get_room_occupants_number", name=name, service=place.rooms)),
                "members_only": options.get("members_only") == "true",
                "group": name if name in known else None,
            }
        )
    return found


def create(place: Place, name: str, title: str, *, members_only: bool) -> dict[str, Any]:
    """Create a room that stays, owned by the administrator."""
    if not _NAME.fullmatch(name):
        raise Problem(
            f"{name!r} is not a valid room name",
            "Use lower-case letters, digits, dots, hyphens and underscores, such as kitchen; --title can be anything",
        )
    if _exists(place, name):
        raise Problem(f"the room {name}@{place.rooms} exists already", "Choose another name")
    options = groups.ROOM_OPTIONS | {"title": title or name}
    if not members_only:
        options = options | {"members_only": "false", "public": "true", "anonymous": "true"}
    groups.create_room(place, name, options)
    return {"room": f"{name}@{place.rooms}", "title": title or name, "members_only": members_only}


def show(place: Place, name: str) -> dict[str, Any]:
    """A room's title, its members by affiliation, and who is in it now."""
    require(place, name)
    options = _options(place, name)
    return {
        "room": f"{name}@{place.rooms}",
        "title": options.get("title", ""),
        "members_only": options.get("members_only") == "true",
        "members": members(place, name),
        "present": [
            {"nick": each["nick"], "address": each["jid"].partition("/")[0]}
            for each in place.ask("get_room_occupants", name=name, service=place.rooms)
        ],
    }


def members(place: Place, name: str) -> list[dict[str, str]]:
    """Who is what in a room."""
    require(place, name)
    found = groups.affiliations(place, name)
    return [{"address": address, "affiliation": found[address]} for address in sorted(found)]


def destroy(place: Place, name: str) -> dict[str, Any]:
    """Destroy a room with its archive; a group's room goes with its group only."""
    require(place, name)
    if name in groups.names(place):
        raise Problem(f"{name} is the room of a group", f"To remove both: lanpi group remove {name}")
    place.ask("destroy_room", name=name, service=place.rooms)
    return {"room": f"{name}@{place.rooms}"}


def require(place: Place, name: str) -> None:
    """Raise a Problem unless the room exists."""
    if not _exists(place, name):
        raise Problem(f"there is no room {name}@{place.rooms}", "`lanpi room list` shows all rooms")


def _exists(place: Place, name: str) -> bool:
    return f"{name}@{place.rooms}" in place.ask("muc_online_rooms/v0", host=place.rooms)


def _options(place: Place, name: str) -> dict[str, str]:
    found = place.ask("get_room_options", name=name, service=place.rooms)
    # ejabberd makes an object of a list of names and values; an older one lists them.
    pairs = found.items() if isinstance(found, dict) else ((each["name"], each["value"]) for each in found)
    return {name: str(value) for name, value in pairs}
