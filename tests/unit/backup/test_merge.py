"""One account or room of a snapshot into a database in use; tables as ejabberd's lite.new.sql has them."""

import sqlite3
from types import SimpleNamespace

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
        for xml in ("first", "second"):
            database.execute("INSERT INTO spool (username, server_host, xml) VALUES (?, ?, ?)", (name, HOST, xml))
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
    assert first == {"archive": 3, "rosterusers": 2, "spool": 2, "users": 1} | numbered
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


def test_a_row_that_the_live_release_cannot_take_is_said(account, live):
    live.execute("ALTER TABLE archive RENAME COLUMN txt TO text")
    live.execute("DROP TABLE rosterusers")
    live.execute("CREATE TABLE rosterusers (username text, server_host text, jid text, nick text, approved NOT NULL)")
    with pytest.raises(sqlite3.IntegrityError, match=r"rosterusers\.approved"):
        account(live)


def test_waiting_messages_come_back_in_their_order(account, live):
    live.execute("DELETE FROM users WHERE username = 'anna'")
    live.execute("DELETE FROM spool WHERE username = 'anna'")
    account(live)
    assert rows(live, "SELECT xml FROM spool WHERE username = 'anna' ORDER BY seq") == [("first",), ("second",)]


def test_an_item_that_is_gone_comes_back_into_a_node_that_is_there_under_another_number(account, live):
    live.execute("UPDATE pubsub_node SET nodeid = 7")
    live.execute("UPDATE pubsub_node_option SET nodeid = 7, val = 'open'")
    live.execute("DELETE FROM pubsub_item")
    assert account(live) == {"pubsub_item": 1}
    assert rows(live, "SELECT nodeid FROM pubsub_item") == [(7,)]
    assert rows(live, "SELECT nodeid, val FROM pubsub_node_option") == [(7, "open")]


@pytest.fixture
def script(program, merge):
    """What psql runs, for tables with these columns."""
    tables = {
        "users": [merge.Column("username", True, False), merge.Column("server_host", True, False)],
        "archive": [
            merge.Column("username", True, False),
            merge.Column("server_host", True, False),
            merge.Column("nick", False, False),
            merge.Column("id", True, True),
        ],
    }
    return lambda part: program("merge_postgres").script(part, tables)


def test_postgresql_gets_all_of_it_in_one_transaction_and_keeps_nothing_of_the_way_it_came(script, merge):
    lines = script(merge.Part("anna", HOST, HOST)).splitlines()
    starts = [line.split()[0] for line in lines if line.strip()]
    assert starts.count("BEGIN") == starts.count("COMMIT;") == 1
    assert starts.index("BEGIN") < starts.index("INSERT")
    assert lines[-1] == "COMMIT;"
    for made in ("SCHEMA", "SERVER", "EXTENSION"):
        assert any(line.startswith(f"CREATE {made}") for line in lines)
        assert any(line.startswith(f"DROP {made}") for line in lines)


def test_no_name_gets_into_the_text_that_postgresql_runs(script, merge):
    """psql quotes the values of its variables; in the text there are only the variables."""
    part = merge.Part("an'na\\", HOST, HOST)
    assert "an'na" not in script(part)
    assert HOST not in script(part)
    assert "here.\"username\" = :'username' AND here.\"server_host\" = :'server_host'" in script(part)
    assert part.values["jid"] == f"an'na\\@{HOST}"


def test_postgresql_compares_by_hash_what_is_never_null_and_gives_numbers_anew(script, merge):
    text = script(merge.Part("anna", HOST, HOST))
    inserted = next(line for line in text.splitlines() if line.startswith('INSERT INTO public."archive"'))
    assert inserted.startswith('INSERT INTO public."archive" ("username", "server_host", "nick") SELECT')
    assert 'there."username" = here."username"' in inserted
    assert 'there."nick" IS NOT DISTINCT FROM here."nick"' in inserted
    assert inserted.endswith('ORDER BY here."id" ON CONFLICT DO NOTHING;')


def test_what_postgresql_says_is_rows_by_table(program):
    assert program("merge_postgres").counts("archive 3\nusers 0\nspool 12") == {"archive": 3, "spool": 12}


@pytest.mark.parametrize(("snapshot", "live"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_a_snapshot_of_the_other_database_is_refused(program, snapshot, live):
    content = {"databases": [{"kind": snapshot, "file": "databases/ejabberd"}]}
    problem = program("common").Problem
    called = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    with pytest.raises(
        problem, match=f"the snapshot's database is {called[snapshot]}, but this Pi uses {called[live]}"
    ):
        program("partial").its_database(content, live)
    assert program("partial").its_database(content, snapshot)["kind"] == snapshot


@pytest.mark.parametrize(
    ("account", "room"),
    [
        ("anna@other.org", None),
        ("@chat.example.org", None),
        ("anna@conference.chat.example.org", None),
        (None, "us@elsewhere-chat.example.org"),
        (None, "us@chat.example.org"),
    ],
)
def test_what_is_not_of_this_server_is_refused_before_anything_is_fetched(program, monkeypatch, account, room):
    partial = program("partial")
    monkeypatch.setattr(partial.work, "manifest", lambda: {"domain": "chat.example.org", "items": []})
    with pytest.raises(program("common").Problem, match=r"does not belong to chat\.example\.org"):
        partial.bring(None, SimpleNamespace(account=account, room=room))
