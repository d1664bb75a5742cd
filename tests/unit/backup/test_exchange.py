"""The exchange of data, cut off at every step and repeated, and taken back."""

import getpass
import grp
import os
import sqlite3
from pathlib import Path

import pytest


class Cut(Exception):
    """The power went."""


def make(path, people):
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE users (username TEXT)")
    connection.executemany("INSERT INTO users VALUES (?)", [(name,) for name in people])
    connection.commit()
    connection.close()


def people(path):
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT username FROM users ORDER BY 1")]
    connection.close()
    return names


@pytest.fixture
def place(tmp_path):
    """A Pi with carl and his file, and a restored snapshot with anna, ben and theirs."""
    live, tree, previous = tmp_path / "live", tmp_path / "restore/new", tmp_path / "previous/1"
    me, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    make(live / "server.db", ["carl"])
    (live / "upload").mkdir()
    (live / "upload/carl").write_text("carl's")
    make(tree / "databases/server.sqlite", ["anna", "ben"])
    restored = Path(f"{tree}/files{live}/upload")
    restored.mkdir(parents=True)
    (restored / "anna").write_text("anna's")
    owner = {"mode": 0o700, "owner": me, "group": group, "item": "uploads"}
    content = {
        "items": [{"name": "uploads", "kind": "files", "path": str(live / "upload")}],
        "databases": [
            {"kind": "sqlite", "file": "databases/server.sqlite", "path": str(live / "server.db"), "owner": group,
             "tables": {"users": 2}}
        ],
        "files": {f"{live}/upload/anna": owner | {"mode": 0o600}},
        "folders": {f"{live}/upload": owner},
    }  # fmt: skip
    return content, tree, previous, live


def test_exchange_and_back(program, place):
    content, tree, previous, live = place
    module = program("exchange")
    module.exchange(content, tree, previous)
    assert people(live / "server.db") == ["anna", "ben"]
    assert [path.name for path in (live / "upload").iterdir()] == ["anna"]
    assert previous.parent.stat().st_mode & 0o777 == 0o700
    module.give_back(content, tree, previous)
    assert people(live / "server.db") == ["carl"]
    assert [path.name for path in (live / "upload").iterdir()] == ["carl"]


def test_cut_off_at_any_rename_the_repetition_finishes_it(program, place, monkeypatch):
    content, tree, previous, live = place
    module = program("exchange")
    real = Path.rename, Path.replace
    for step in range(1, 10):
        left = step

        def counted(which, path, target):
            nonlocal left
            left -= 1
            if left == 0:
                raise Cut
            return which(path, target)

        monkeypatch.setattr(Path, "rename", lambda path, target: counted(real[0], path, target))
        monkeypatch.setattr(Path, "replace", lambda path, target: counted(real[1], path, target))
        try:
            module.exchange(content, tree, previous)
        except Cut:
            continue
        break
    else:
        pytest.fail("it never ends")
    assert step > 1, "nothing was cut off"
    assert people(live / "server.db") == ["anna", "ben"]
    assert [path.name for path in (live / "upload").iterdir()] == ["anna"]
    assert people(Path(f"{previous}/files{live}/server.db")) == ["carl"]
    assert Path(f"{previous}/files{live}/upload/carl").read_text() == "carl's"


def test_what_a_start_in_between_has_made_is_kept_too(program, place, monkeypatch):
    content, tree, previous, live = place
    module = program("exchange")
    kept = Path(f"{previous}/files{live}/upload")
    kept.parent.mkdir(parents=True)
    (live / "upload").rename(kept)  # cut off here, and the server came up with the next boot
    (live / "upload").mkdir()
    (live / "upload/dora").write_text("dora's")
    module.exchange(content, tree, previous)
    assert [path.name for path in (live / "upload").iterdir()] == ["anna"]
    assert (kept / "carl").exists()
    assert [path.name for extra in kept.parent.glob("upload.*") for path in extra.iterdir()] == ["dora"]


def test_a_copy_that_changed_since_it_was_compared_is_not_taken(program, place):
    content, tree, previous, live = place
    content["databases"][0]["tables"]["users"] = 3
    with pytest.raises(program("common").Problem, match="table users has 2 rows instead of 3"):
        program("exchange").exchange(content, tree, previous)
    assert people(live / "server.db") == ["carl"]
