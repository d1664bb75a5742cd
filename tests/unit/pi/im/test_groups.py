"""Groups: contacts, room and bookmark together, and whatever was cut off is finished by the next try."""

import pytest

from lanpi.pi.im import bookmarks, groups
from lanpi.pi.im.problem import Problem
from tests.unit.pi.im.fake import DOMAIN, ROOMS, FakeServer, place


@pytest.fixture
def server() -> FakeServer:
    made = FakeServer()
    made.accounts |= {"anna": "x", "ben": "x"}
    return made


def test_a_group_has_a_room_that_only_its_members_enter(server: FakeServer) -> None:
    made = groups.add(place(server), "family", "Our family")
    assert made == {"group": "family", "title": "Our family", "room": f"family@{ROOMS}", "created": True}
    assert server.options["family"]["members_only"] == "true"
    assert server.rooms["family"] == {f"admin@{DOMAIN}": "owner"}


def test_adding_a_group_again_changes_nothing(server: FakeServer) -> None:
    groups.add(place(server), "family", "Our family")
    groups.join(place(server), "family", ["anna"])
    assert groups.add(place(server), "family")["created"] is False
    assert groups.title(place(server), "family") == "Our family"
    assert groups.members(place(server), "family") == ["anna"]


def test_a_room_of_somebody_else_is_not_taken_over(server: FakeServer) -> None:
    server.rooms["family"] = {f"ben@{DOMAIN}": "owner"}
    with pytest.raises(Problem, match="already a room family"):
        groups.add(place(server), "family")
    assert server.groups == {}


def test_who_joins_is_in_the_contacts_the_room_and_has_its_bookmark(server: FakeServer) -> None:
    groups.add(place(server), "family", "Our family")
    assert groups.join(place(server), "family", ["anna"]) == ["anna"]
    assert server.groups["family"]["members"] == {"anna"}
    assert server.rooms["family"][f"anna@{DOMAIN}"] == "member"
    assert f'jid="family@{ROOMS}"' in server.private["anna"]
    assert 'autojoin="true"' in server.private["anna"]
    assert groups.join(place(server), "family", ["anna"]) == []


def test_the_administrator_stays_owner_of_the_room(server: FakeServer) -> None:
    groups.add(place(server), "family")
    groups.join(place(server), "family", ["admin"])
    groups.leave(place(server), "family", ["admin"])
    assert server.rooms["family"][f"admin@{DOMAIN}"] == "owner"


@pytest.mark.parametrize("calls", range(9))
def test_a_power_cut_while_joining_is_healed_by_joining_again(server: FakeServer, calls: int) -> None:
    groups.add(place(server), "family")
    server.cut_after = calls
    try:
        groups.join(place(server), "family", ["anna"])
    except ConnectionError:
        server.cut_after = None
        groups.join(place(server), "family", ["anna"])
    assert server.groups["family"]["members"] == {"anna"}
    assert server.rooms["family"][f"anna@{DOMAIN}"] == "member"
    assert server.private["anna"].count("<conference") == 1


def test_leaving_undoes_joining(server: FakeServer) -> None:
    groups.add(place(server), "family")
    groups.join(place(server), "family", ["anna", "ben"])
    assert groups.leave(place(server), "family", ["anna"]) == ["anna"]
    assert server.groups["family"]["members"] == {"ben"}
    assert f"anna@{DOMAIN}" not in server.rooms["family"]
    assert "conference" not in server.private["anna"].replace(ROOMS, "")
    assert groups.leave(place(server), "family", ["anna"]) == []


def test_removing_a_group_takes_its_room_and_bookmarks(server: FakeServer) -> None:
    groups.add(place(server), "family")
    groups.join(place(server), "family", ["anna"])
    assert groups.remove(place(server), "family")["members"] == [f"anna@{DOMAIN}"]
    assert (server.groups, server.rooms) == ({}, {})
    assert "family" not in server.private["anna"]


@pytest.mark.parametrize("name", ["", "Family", "our family", "a/b", "-family", "a" * 65, "家"])
def test_names_that_a_room_cannot_have(server: FakeServer, name: str) -> None:
    with pytest.raises(Problem, match="is not a valid group name"):
        groups.add(place(server), name)


def test_other_bookmarks_stay() -> None:
    stored = (
        "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'><conference jid='a@b' autojoin='true'>"
        "<nick>Anna &amp; Ben</nick></conference></storage></query>"
    )
    both = bookmarks.with_room(stored, "c@d", 'Say "hi" & <more>', "anna")
    assert both is not None
    assert "Anna &amp; Ben" in both
    assert bookmarks.with_room(both, "c@d", "x", "anna") is None
    one = bookmarks.without_room(both, "c@d")
    assert one is not None
    assert "a@b" in one
    assert bookmarks.without_room(one, "c@d") is None
    assert bookmarks.with_room("", "c@d", "x", "anna") is not None


def test_a_group_has_a_largest_size(server: FakeServer) -> None:
    groups.add(place(server), "everyone")
    assert groups.defaults(place(server), 200) == ("everyone",)
    assert groups.defaults(place(server), 201) == ()
    with pytest.raises(Problem, match="more than 200 members"):
        groups.join(place(server), "everyone", [f"p{number}" for number in range(201)])
    assert server.groups["everyone"]["members"] == set()
