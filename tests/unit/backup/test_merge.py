"""One account or room of a snapshot into a database in use; tables as ejabberd's lite.new.sql has them."""

import sqlite3

import pytest

SCHEMA = """
CREATE TABLE users (username text, server_host text, password text, PRIMARY KEY (server_host, username));
CREATE TABLE rosterusers (username text, server_host text, jid text, nick text);
CREATE UNIQUE INDEX i_roster ON rosterusers (server_host, username, jid);
CREATE TABLE spool (username text, server_host text, xml text, seq INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE archive (
  username text, server_host text, timestamp BIGINT, txt text, id INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE archive_prefs (username text, server_host text, def text, PRIMARY KEY (server_host, username));
CREATE TABLE sm (username text, server_host text, resource text);
CREATE TABLE privacy_list (username text, server_host text, name text, id INTEGER PRIMARY KEY AUTOINCREMENT UNIQUE);
CREATE TABLE privacy_list_data (id bigint REFERENCES privacy_list(id), value text);
CREATE TABLE pubsub_node (host text, node text, parent text, plugin text, nodeid INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE pubsub_node_option (nodeid bigint, name text, val text);
CREATE TABLE pubsub_node_owner (nodeid bigint, owner text);
CREATE TABLE pubsub_state (nodeid bigint, jid text, stateid INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE pubsub_item (nodeid bigint, itemid text, payload text);
CREATE UNIQUE INDEX i_item ON pubsub_item (itemid, nodeid);
CREATE TABLE muc_room (name text, host text, server_host text, opts text);
CREATE UNIQUE INDEX i_room ON muc_room (name, host);
CREATE TABLE muc_room_subscribers (room text, host text, jid text);
"""
HOST = "home.local"
BOOKMARKS = "urn:xmpp:bookmarks:1"


def filled(path):
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)
    for name in ("anna", "ben"):
        database.execute("INSERT INTO users VALUES (?, ?, 'old')", (name, HOST))
        database.execute("INSERT INTO sm VALUES (?, ?, 'phone')", (name, HOST))
        database.execute("INSERT INTO spool (username, server_host, xml) VALUES (?, ?, 'waiting')", (name, HOST))
        for number in range(3):
            values = (name, HOST, number, f"{name} {number}")
            database.execute("INSERT INTO archive (username, server_host, timestamp, txt) VALUES (?, ?, ?, ?)", values)
    database.execute("INSERT INTO rosterusers VALUES ('anna', ?, 'ben@home.local', 'Ben')", (HOST,))
    database.execute("INSERT INTO rosterusers VALUES ('anna', ?, 'cem@home.local', 'Cem')", (HOST,))
    database.execute("INSERT INTO privacy_list VALUES ('anna', ?, 'blocked', 1)", (HOST,))
    database.execute("INSERT INTO privacy_list_data VALUES (1, 'spam@example.org')")
    database.execute("INSERT INTO pubsub_node VALUES ('anna@home.local', ?, '', 'pep', 1)", (BOOKMARKS,))
    database.execute("INSERT INTO pubsub_node_option VALUES (1, 'access_model', 'whitelist')")
    database.execute("INSERT INTO pubsub_item VALUES (1, 'room@conference.home.local', 'ours')")
    database.execute("INSERT INTO muc_room VALUES ('room', 'conference.home.local', ?, 'options')", (HOST,))
    database.execute("INSERT INTO muc_room_subscribers VALUES ('room', 'conference.home.local', 'anna@home.local')")
    database.execute(
        "INSERT INTO archive (username, server_host, timestamp, txt) VALUES ('room@conference.home.local', ?, 9, 'hi')",
        (HOST,),
    )
    database.commit()
    return database


@pytest.fixture
def merge(program):
    return program("merge")


@pytest.fixture
def sqlite(program):
    return program("merge_sqlite")


@pytest.fixture
def account(merge, sqlite):
    """Merge anna into a live file; rows by table."""
    return lambda live: sqlite.run(live, merge.Part("anna", HOST, HOST))


@pytest.fixture
def room(merge, sqlite):
    """Merge the room."""
    return lambda live: sqlite.run(live, merge.Part("room", f"conference.{HOST}", HOST, room=True))


@pytest.fixture
def live(tmp_path, sqlite):
    """In use, with the snapshot attached: what a test removes from it is to come back."""
    filled(tmp_path / "snapshot.db").close()
    filled(tmp_path / "live.db").close()
    database = sqlite3.connect(f"file:{tmp_path / 'live.db'}", uri=True, isolation_level=None)
    sqlite.attach(database, tmp_path / "snapshot.db")
    yield database
    database.close()


def rows(live, statement):
    return live.execute(statement).fetchall()


def test_where_nothing_is_missing_nothing_is_added(account, room, live):
    assert account(live) == {}
    assert room(live) == {}


def test_an_account_that_was_removed_is_whole_again_and_once(account, live):
    for table in ("users", "rosterusers", "spool", "archive", "privacy_list"):
        live.execute(f"DELETE FROM {table} WHERE username = 'anna'")
    for table in ("privacy_list_data", "pubsub_node", "pubsub_node_option", "pubsub_item"):
        live.execute(f"DELETE FROM {table}")
    # Numbers that the snapshot knows belong to others by now.
    live.execute("INSERT INTO privacy_list VALUES ('ben', ?, 'mine', 1)", (HOST,))
    live.execute("INSERT INTO pubsub_node VALUES ('ben@home.local', 'avatar', '', 'pep', 1)")
    first = account(live)
    numbered = {"privacy_list": 1, "privacy_list_data": 1, "pubsub_node": 1, "pubsub_node_option": 1, "pubsub_item": 1}
    assert first == {"archive": 3, "rosterusers": 2, "spool": 1, "users": 1} | numbered
    assert account(live) == {}
    assert rows(live, "SELECT username, value FROM privacy_list JOIN privacy_list_data USING (id)") == [
        ("anna", "spam@example.org")
    ]
    assert rows(live, "SELECT host, itemid FROM pubsub_node JOIN pubsub_item USING (nodeid)") == [
        ("anna@home.local", "room@conference.home.local")
    ]


def test_what_is_newer_in_the_live_server_stays(account, live):
    live.execute("UPDATE users SET password = 'new' WHERE username = 'anna'")
    live.execute("UPDATE rosterusers SET nick = 'My Ben' WHERE jid = 'ben@home.local'")
    live.execute("DELETE FROM rosterusers WHERE jid = 'cem@home.local'")
    live.execute("DELETE FROM archive WHERE username = 'anna' AND timestamp = 1")
    live.execute("INSERT INTO archive (username, server_host, timestamp, txt) VALUES ('anna', ?, 50, 'since')", (HOST,))
    assert account(live) == {"archive": 1, "rosterusers": 1}
    assert rows(live, "SELECT password FROM users WHERE username = 'anna'") == [("new",)]
    assert rows(live, "SELECT jid, nick FROM rosterusers ORDER BY jid") == [
        ("ben@home.local", "My Ben"), ("cem@home.local", "Cem")
    ]  # fmt: skip
    assert rows(live, "SELECT timestamp FROM archive WHERE username = 'anna' ORDER BY 1") == [(0,), (1,), (2,), (50,)]


def test_messages_that_somebody_has_fetched_do_not_come_twice(account, live):
    live.execute("DELETE FROM spool WHERE username = 'anna'")
    assert account(live) == {}


def test_sessions_of_the_old_server_do_not_come_back(account, live):
    live.execute("DELETE FROM sm")
    account(live)
    assert rows(live, "SELECT * FROM sm") == []


def test_others_are_left_alone(account, live):
    live.execute("DELETE FROM archive WHERE username IN ('ben', 'anna')")
    account(live)
    assert rows(live, "SELECT count(*) FROM archive WHERE username = 'ben'") == [(0,)]


def test_a_room_that_was_destroyed(room, live):
    live.execute("DELETE FROM muc_room")
    live.execute("DELETE FROM muc_room_subscribers")
    live.execute("DELETE FROM archive WHERE username LIKE 'room@%'")
    assert room(live) == {
        "muc_room": 1, "muc_room_subscribers": 1, "archive": 1
    }  # fmt: skip


def test_columns_that_only_one_release_knows_are_left_out(account, live):
    live.execute("ALTER TABLE archive ADD COLUMN origin_id text NOT NULL DEFAULT ''")
    live.execute("DELETE FROM archive WHERE username = 'anna'")
    assert account(live) == {"archive": 3}
