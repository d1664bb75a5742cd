"""The program that makes ejabberd's database, run as the Pi runs it."""

import sqlite3
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[3] / "templates/usr/lib/lanpi/im-database.j2"


def make(database: Path) -> tuple[str, int]:
    subprocess.run([sys.executable, PROGRAM, database], check=True)
    with sqlite3.connect(database) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
    return mode, page


def test_a_new_database_gets_the_write_ahead_log_and_small_pages(tmp_path: Path) -> None:
    assert make(tmp_path / "new.db") == ("wal", 1024)
    assert make(tmp_path / "new.db") == ("wal", 1024), "a second run finds it done"


def test_a_database_with_people_in_it_keeps_them_and_its_pages(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as connection:
        connection.execute("CREATE TABLE users (username)")
        connection.execute("INSERT INTO users VALUES ('anna')")
    assert make(old) == ("wal", 4096)
    with sqlite3.connect(old) as connection:
        assert connection.execute("SELECT username FROM users").fetchall() == [("anna",)]
