"""Accounts: registering many, removing one with all that belongs to it, keeping one out; and the database's answers."""

import sqlite3
from pathlib import Path

import pytest

from lanpi.pi.im import accounts, groups, manage, record, rooms
from lanpi.pi.im.database import ARCHIVED, DISABLED, LAST_SEEN, USED_TOKENS, Database
from lanpi.pi.im.problem import Problem
from tests.unit.pi.im.fake import DOMAIN, ROOMS, FakeServer, place


class NoRows(Database):
    """A database without rows."""

    def select(self, query: str) -> list[tuple[str, ...]]:
        return []


DATABASE = NoRows("sqlite", DOMAIN)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setattr(accounts, "UPLOADS", tmp_path / "upload")
    monkeypatch.setattr(record, "PATH", tmp_path / "people" / "invitations.json")
    made = FakeServer()
    made.accounts |= {"anna": "x", "ben": "x"}
    groups.add(place(made), "family")
    groups.join(place(made), "family", ["anna", "ben"])
    return made


def wish(name: str, *groups: str) -> dict[str, object]:
    return {"name": name, "password": "secret-secret", "groups": list(groups)}


def test_registering_reports_on_each_and_joins_the_groups(server: FakeServer) -> None:
    done = accounts.register(place(server), [wish("cara", "family"), wish("anna"), wish("refused")])
    assert [each["created"] for each in done] == [True, False, False]
    assert done[1]["problem"] == "the account exists already"
    assert "ejabberd refused" in done[2]["problem"]
    assert "cara" in server.groups["family"]["members"]


def test_all_or_nothing_undoes_what_was_made(server: FakeServer) -> None:
    done = accounts.register(place(server), [wish("cara"), wish("refused")], all_or_nothing=True)
    assert not any(each["created"] for each in done)
    assert "cara" not in server.accounts
    accounts.register(place(server), [wish("cara"), wish("anna")], all_or_nothing=True)
    assert "cara" not in server.accounts
    with pytest.raises(Problem, match="there is no group others"):
        accounts.register(place(server), [wish("cara", "others")])


def test_removing_takes_memberships_and_links_too(server: FakeServer) -> None:
    server.rooms["kitchen"] = {f"anna@{DOMAIN}": "owner"}
    server.sessions["anna"] = ["phone"]
    folder = accounts.folder_of(place(server), "anna")
    (folder / "slot").mkdir(parents=True)
    (folder / "slot" / "picture.jpg").write_bytes(b"12345")
    gone = accounts.remove(place(server), DATABASE, "anna")
    assert (gone["groups"], gone["rooms"]) == (["family"], [f"kitchen@{ROOMS}"])
    assert (gone["files_bytes"], gone["sessions"]) == (5, 1)
    assert "anna" not in server.accounts
    assert server.groups["family"]["members"] == {"ben"}


def test_the_only_administrator_stays_without_force(server: FakeServer) -> None:
    with pytest.raises(Problem, match="is the only administrator"):
        accounts.remove(place(server), DATABASE, "admin")
    accounts.remove(place(server), DATABASE, "admin", force=True)
    assert "admin" not in server.accounts


def test_keeping_somebody_out(server: FakeServer) -> None:
    accounts.disable(place(server), "ben", "because")
    with pytest.raises(Problem, match="is disabled already"):
        accounts.disable(place(server), "ben", "because")
    accounts.enable(place(server), "ben")
    with pytest.raises(Problem, match="is not disabled"):
        accounts.enable(place(server), "ben")
    with pytest.raises(Problem, match="administrator's account cannot be disabled"):
        accounts.disable(place(server), "admin", "because")
    server.without = {"get_ban_details"}
    with pytest.raises(Problem, match="too old"):
        accounts.disable(place(server), "ben", "because")


def test_ending_sessions(server: FakeServer) -> None:
    server.sessions["anna"] = ["phone", "laptop"]
    assert accounts.sessions(place(server), "anna")[0]["ip"] == "10.0.0.9"
    with pytest.raises(Problem, match="has no session tablet"):
        accounts.kick(place(server), "anna", "tablet")
    assert accounts.kick(place(server), "anna", "phone") == 1
    assert accounts.kick(place(server), "anna") == 1
    assert server.sessions["anna"] == []


def test_people_are_shown_without_the_checks(server: FakeServer) -> None:
    shown = accounts.overview(place(server), DATABASE)
    assert [each["address"] for each in shown] == [f"{name}@{DOMAIN}" for name in ("admin", "anna", "ben")]


def test_rooms(server: FakeServer) -> None:
    assert rooms.create(place(server), "kitchen", "Kitchen", members_only=False)["room"] == f"kitchen@{ROOMS}"
    assert server.options["kitchen"]["members_only"] == "false"
    with pytest.raises(Problem, match="exists already"):
        rooms.create(place(server), "kitchen", "", members_only=False)
    with pytest.raises(Problem, match="is not a valid room name"):
        rooms.create(place(server), "The Kitchen", "", members_only=False)
    assert [each["group"] for each in rooms.overview(place(server))] == ["family", None]
    assert rooms.show(place(server), "kitchen")["members"] == [{"address": f"admin@{DOMAIN}", "affiliation": "owner"}]
    with pytest.raises(Problem, match="is the room of a group"):
        rooms.destroy(place(server), "family")
    rooms.destroy(place(server), "kitchen")
    with pytest.raises(Problem, match="there is no room"):
        rooms.show(place(server), "kitchen")


def test_announcing(server: FakeServer) -> None:
    actions = manage.Actions(place(server), DATABASE)
    assert actions.announce("Dinner!", "", "", online=False)["people"] == 3
    assert actions.announce("Dinner!", "", "family", online=False)["people"] == 2
    server.sessions["ben"] = ["phone"]
    server.sent.clear()
    assert actions.announce("Dinner!", "", "family", online=True)["people"] == 1
    assert server.sent == [(f"ben@{DOMAIN}", "Dinner!")]


def test_a_problem_is_an_answer(server: FakeServer) -> None:
    actions = manage.Actions(place(server), DATABASE)
    said = manage.run(actions, "group", {"group": "none"})["problem"]
    assert (said["what"], said["bad_input"]) == ("there is no group none", True)
    server.cut_after = 0
    assert manage.run(actions, "groups", {})["problem"]["bad_input"] is False


def test_addresses_that_the_certificate_covers(tmp_path: Path) -> None:
    names = tmp_path / "names"
    assert manage.covered_addresses(names) == []
    names.write_text("DNS:home.local,IP:192.168.1.5,IP:fd00::5\n")
    assert manage.covered_addresses(names) == ["192.168.1.5"]


def test_what_the_database_says(tmp_path: Path) -> None:
    path = tmp_path / "ejabberd.db"
    live = sqlite3.connect(path)
    live.execute("PRAGMA journal_mode=WAL")
    live.executescript(
        "CREATE TABLE invite_token (token, server_host, invitee);"
        "INSERT INTO invite_token VALUES ('t1', 'home.local', 'anna@home.local'), ('t2', 'home.local', ''),"
        " ('t3', 'other', 'x@other');"
        "CREATE TABLE last (username, server_host, seconds); INSERT INTO last VALUES ('anna', 'home.local', '12');"
        "CREATE TABLE archive (username, server_host); INSERT INTO archive VALUES ('anna', 'home.local');"
        "CREATE TABLE private_storage (username, server_host, namespace);"
        "INSERT INTO private_storage VALUES ('ben', 'home.local', 'jabber:ejabberd:banned');"
    )
    database = Database("sqlite", DOMAIN, str(path))
    before = database.changed()
    assert database.pairs(USED_TOKENS) == {"t1": "anna@home.local"}
    assert database.pairs(LAST_SEEN) == {"anna": "12"}
    assert database.pairs(ARCHIVED) == {"anna": "1"}
    assert database.select(DISABLED) == [("ben",)]
    assert database.changed() == before
    live.execute("INSERT INTO archive VALUES ('anna', 'home.local')")
    live.commit()
    assert database.changed() != before
    live.close()
    with pytest.raises(Problem, match="is not open"):
        database.select(LAST_SEEN)
