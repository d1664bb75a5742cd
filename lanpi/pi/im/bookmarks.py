"""Bookmarks of rooms (XEP-0048), which ejabberd also publishes as XEP-0402's, one item a room.

mod_private writes what it is given through to both PEP nodes (its ``publish_pep_native_bookmarks``), for accounts
without a session too: so a bookmark set through the API is in every app, without logging in as the person.
"""

from xml.etree import ElementTree

NAMESPACE = "storage:bookmarks"
_STORAGE = f"{{{NAMESPACE}}}storage"
_CONFERENCE = f"{{{NAMESPACE}}}conference"
_NICK = f"{{{NAMESPACE}}}nick"

ElementTree.register_namespace("", NAMESPACE)


def with_room(stored: str, room: str, title: str, nick: str) -> str | None:
    """A person's bookmarks with a room that their apps join by themselves.

    Args:
        stored: what ejabberd keeps for them; may be empty.
        room: the room's address.
        title: its name for people.
        nick: the person's name in it.

    Returns:
        The whole storage element, or None where the room is bookmarked already.
    """
    storage = _parsed(stored)
    if any(each.get("jid") == room for each in storage.iter(_CONFERENCE)):
        return None
    conference = ElementTree.SubElement(storage, _CONFERENCE, {"jid": room, "name": title, "autojoin": "true"})
    ElementTree.SubElement(conference, _NICK).text = nick
    return ElementTree.tostring(storage, encoding="unicode")


def without_room(stored: str, room: str) -> str | None:
    """A person's bookmarks without a room; None where it is not among them."""
    storage = _parsed(stored)
    found = [each for each in storage.iter(_CONFERENCE) if each.get("jid") == room]
    for each in found:
        storage.remove(each)
    return ElementTree.tostring(storage, encoding="unicode") if found else None


def _parsed(stored: str) -> ElementTree.Element:
    if not stored.strip():
        return ElementTree.Element(_STORAGE)
    # ejabberd's answer is the storage inside the query of XEP-0049; its parser takes no entities.
    found = ElementTree.fromstring(stored)  # noqa: S314
    return next(found.iter(_STORAGE), ElementTree.Element(_STORAGE))
