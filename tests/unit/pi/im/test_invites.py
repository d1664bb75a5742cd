"""Invitations: the record beside ejabberd's tokens, and what happens when one is used, expires or is revoked."""

import json
from pathlib import Path

import pytest

from lanpi.pi.im import groups, invites, record, welcome
from lanpi.pi.im.invites import Wish
from lanpi.pi.im.problem import Problem
from tests.unit.pi.im.fake import DOMAIN, FakeServer, place

DAY = 86400


@pytest.fixture
def server() -> FakeServer:
    made = FakeServer()
    groups.add(place(made), "family", "Our family")
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people" / "invitations.json"


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def flag(path: Path) -> bool:
    return (path.parent / record.FLAG).exists()


def test_an_invitation_is_kept_with_its_groups_and_its_end(server: FakeServer, path: Path) -> None:
    [made] = invites.make(place(server), [Wish("anna", "Anna", ("family",))], DAY, path, Clock())
    assert made.token in server.tokens
    assert (made.name, made.groups, made.expires) == ("anna", ("family",), 1_000_000 + DAY)
    assert record.load(path) == [made]
    assert flag(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.token not in made.identity


def test_whoever_used_one_is_put_into_its_groups(server: FakeServer, path: Path) -> None:
    [made] = invites.make(place(server), [Wish("", "", ("family",))], DAY, path, Clock())
    server.accounts["anna"] = "x"
    assert invites.settle(place(server), {made.token: f"anna@{DOMAIN}"}, path, Clock()) == []
    assert server.groups["family"]["members"] == {"anna"}
    assert server.tokens == {}
    [kept] = record.load(path)
    assert (kept.state, kept.used_by) == (record.USED, "anna")
    assert not flag(path)


@pytest.mark.parametrize("calls", range(12))
def test_a_power_cut_while_settling_is_healed_by_the_next_round(server: FakeServer, path: Path, calls: int) -> None:
    [made] = invites.make(place(server), [Wish("", "", ("family",))], DAY, path, Clock())
    server.accounts["anna"] = "x"
    used = {made.token: f"anna@{DOMAIN}"}
    server.cut_after = calls
    try:
        invites.settle(place(server), used, path, Clock())
    except ConnectionError:
        assert flag(path), "what starts the service again"
        server.cut_after = None
        invites.settle(place(server), used, path, Clock())
    assert server.groups["family"]["members"] == {"anna"}
    assert record.load(path)[0].state == record.USED
    assert server.tokens == {}


def test_one_that_was_not_used_in_time_ends(server: FakeServer, path: Path) -> None:
    clock = Clock()
    invites.make(place(server), [Wish("", "", ())], DAY, path, clock)
    clock.seconds += DAY - 1
    assert len(invites.settle(place(server), {}, path, clock)) == 1
    clock.seconds += 1
    assert invites.settle(place(server), {}, path, clock) == []
    assert server.tokens == {}
    assert record.load(path)[0].state == record.EXPIRED


def test_a_group_that_is_gone_meanwhile_keeps_nobody_out(server: FakeServer, path: Path) -> None:
    [made] = invites.make(place(server), [Wish("", "", ("family",))], DAY, path, Clock())
    groups.remove(place(server), "family")
    invites.settle(place(server), {made.token: f"anna@{DOMAIN}"}, path, Clock())
    assert record.load(path)[0].used_by == "anna"


def test_several_are_made_all_or_none(server: FakeServer, path: Path) -> None:
    with pytest.raises(Problem, match=r"admin@home.local exists already"):
        invites.make(place(server), [Wish("anna", "", ()), Wish("admin", "", ())], DAY, path, Clock())
    assert server.tokens == {}
    assert record.load(path) == []
    with pytest.raises(Problem, match="already an open invitation for anna"):
        invites.make(place(server), [Wish("anna", "", ()), Wish("anna", "", ())], DAY, path, Clock())
    with pytest.raises(Problem, match="there is no group others"):
        invites.make(place(server), [Wish("", "", ("others",))], DAY, path, Clock())


def test_revoking(server: FakeServer, path: Path) -> None:
    first, second = invites.make(place(server), [Wish("", "", ())] * 2, DAY, path, Clock())
    assert [each.token for each in invites.revoke(place(server), first.identity, path, Clock())] == [first.token]
    assert list(server.tokens) == [second.token]
    with pytest.raises(Problem, match="there is no open invitation"):
        invites.revoke(place(server), first.identity, path, Clock())
    assert len(invites.revoke(place(server), "all", path, Clock())) == 1
    assert invites.revoke(place(server), "all", path, Clock()) == []
    assert not flag(path)


def test_a_new_reset_link_ends_the_earlier_one(server: FakeServer, path: Path) -> None:
    first = invites.reset(place(server), "admin", DAY, path, Clock())
    second = invites.reset(place(server), "admin", DAY, path, Clock())
    assert list(server.tokens) == [second.token]
    assert [each.state for each in record.load(path)] == [record.REVOKED, record.OPEN]
    assert first.kind == "reset"


def test_without_invitations_it_says_what_to_do(server: FakeServer, path: Path) -> None:
    server.without = {"generate_invite"}
    with pytest.raises(Problem, match="invitations are switched off") as caught:
        invites.make(place(server), [Wish("", "", ())], DAY, path, Clock())
    assert "lanpi user import" in caught.value.next_step


def test_no_more_than_ejabberd_allows(server: FakeServer, path: Path) -> None:
    with pytest.raises(Problem, match="allows 1000 at a time"):
        invites.make(place(server), [Wish("", "", ())] * 1001, DAY, path, Clock())


def test_old_ones_are_forgotten(server: FakeServer, path: Path) -> None:
    clock = Clock()
    invites.make(place(server), [Wish("", "", ())], DAY, path, clock)
    invites.revoke(place(server), "all", path, clock)
    clock.seconds += record.KEEP_SECONDS
    invites.make(place(server), [Wish("", "", ())], DAY, path, clock)
    assert len(record.load(path)) == 1


def test_the_service_ends_and_clears_its_flag(server: FakeServer, path: Path) -> None:
    path.parent.mkdir(parents=True)
    (path.parent / record.FLAG).touch()

    class NoDatabase:
        def changed(self) -> None:
            return None

    welcome.watch(place(server), NoDatabase(), path)  # type: ignore[arg-type]
    assert not flag(path)


def test_the_domain_is_the_installed_one(tmp_path: Path) -> None:
    installed = tmp_path / "installed.json"
    assert welcome.installed_domain(installed, "domain: other.local\n") == "other.local"
    installed.write_text(json.dumps({"domain": DOMAIN}))
    assert welcome.installed_domain(installed, "") == DOMAIN


def test_invitations_end_also_when_they_were_switched_off_meanwhile(server: FakeServer, path: Path) -> None:
    invites.make(place(server), [Wish("", "", ())], DAY, path, Clock())
    server.without = {"delete_invite_by_token"}
    later = Clock()
    later.seconds += DAY
    assert invites.settle(place(server), {}, path, later) == []
    assert not flag(path)
