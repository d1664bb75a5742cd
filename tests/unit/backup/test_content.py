"""What a snapshot says that it holds."""

import sqlite3

from lanpi.pi.checks.names import ACCOUNTS


def test_the_checks_own_accounts_are_not_among_the_people(program):
    content = program("content")
    assert content.NOBODYS == ACCOUNTS
    database = sqlite3.connect(":memory:")
    assert content.nobodys(database) == 0, "a database without accounts, as before the first start"
    database.execute("CREATE TABLE users (username)")
    database.executemany("INSERT INTO users VALUES (?)", [("anna",), ("ben",), *((name,) for name in ACCOUNTS)])
    entry = {"file": "x", "bytes": 1, "tables": content.tables(database), "nobodys": content.nobodys(database)}
    snapshot = {"made": "", "domain": "", "hostname": "", "versions": {}, "files": {}, "databases": [entry]}
    assert content.summary(snapshot)["people"] == 2
    del entry["nobodys"]
    assert content.summary(snapshot)["people"] == 4, "snapshots of earlier lanpis have no such accounts and say nothing"
