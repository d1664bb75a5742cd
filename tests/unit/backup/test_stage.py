"""The consistent copy and its content."""

import json
import os
import sqlite3
import threading
from types import SimpleNamespace

import pytest


class Silent:
    def say(self, event, **values):
        pass

    def step(self, text):
        pass


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "live.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE archive (id INTEGER PRIMARY KEY, txt TEXT)")
    connection.execute("CREATE TABLE users (username TEXT)")
    connection.executemany("INSERT INTO archive (txt) VALUES (?)", [(f"message {n}",) for n in range(200)])
    connection.commit()
    connection.close()
    return path


@pytest.fixture
def manifest(database, tmp_path):
    uploads = tmp_path / "upload"
    (uploads / "a").mkdir(parents=True)
    (uploads / "a/picture.jpg").write_bytes(b"picture")
    return {
        "version": "1",
        "domain": "chat.example.org",
        "items": [
            {"name": "ejabberd", "kind": "sqlite", "path": str(database), "owner": "ejabberd"},
            {"name": "uploads", "kind": "files", "path": str(uploads)},
            {"name": "none", "kind": "files", "path": str(tmp_path / "not there")},
        ],
    }


@pytest.fixture
def stage(program, monkeypatch):
    module = program("stage")
    monkeypatch.setattr(module, "versions", lambda manifest: {"lanpi": "1"})
    return module


def test_without_room_for_the_copy_nothing_is_begun(stage, manifest, program, monkeypatch):
    monkeypatch.setattr(program("common").shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    says = r"a consistent copy needs 1 MB on .* and 0 MB to spare, but only 1 MB are free"
    with pytest.raises(program("common").Problem, match=says) as refused:
        stage.stage(manifest, Silent(), stage.HANDED)
    assert refused.value.kind == "blocked"
    assert not stage.HANDED.exists()


def test_content_says_what_is_in_the_copy(stage, manifest, tmp_path, program):
    content = stage.stage(manifest, Silent(), stage.HANDED)
    assert content["databases"][0]["tables"] == {"archive": 200, "users": 0}
    path = str(tmp_path / "upload/a/picture.jpg")
    assert list(content["files"]) == [path]
    assert content["files"][path]["bytes"] == 7
    assert json.loads((stage.HANDED / "content.json").read_text()) == content
    assert program("content").differences(content, stage.HANDED) == []


def test_a_writer_goes_on_meanwhile_and_what_was_committed_before_is_there(stage, manifest, database):
    over, failures = threading.Event(), []

    def write():
        connection = sqlite3.connect(database, timeout=0.2)
        while not over.is_set():
            try:
                connection.execute("INSERT INTO archive (txt) VALUES ('more')")
                connection.commit()
            except sqlite3.OperationalError as error:
                failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            reader = sqlite3.connect(database)
            (before,) = reader.execute("SELECT count(*) FROM archive").fetchone()
            reader.close()
            content = stage.stage(manifest, Silent(), stage.HANDED)
            assert content["databases"][0]["tables"]["archive"] >= before
    finally:
        over.set()
        writer.join()
    assert failures == []


def test_every_damage_of_a_copy_is_named(stage, manifest, program, tmp_path):
    content = stage.stage(manifest, Silent(), stage.HANDED)
    path = str(tmp_path / "upload/a/picture.jpg")
    copy = stage.HANDED / f"files{path}"
    copy.unlink()
    assert program("content").differences(content, stage.HANDED) == [f"{path} is missing"]
    copy.write_bytes(b"piCture")
    (stage.HANDED / "databases/ejabberd.sqlite").write_bytes(b"")
    assert program("content").differences(content, stage.HANDED) == [
        f"{path} differs from what was backed up",
        "databases/ejabberd.sqlite differs from what was backed up",
    ]


def test_a_damaged_database_is_not_backed_up(stage, manifest, database, program):
    with database.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(program("common").Problem, match="is damaged"):
        stage.stage(manifest, Silent(), stage.HANDED)


def test_without_room_it_is_refused_before_anything_is_written(stage, manifest, program, monkeypatch, database):
    common = program("common")
    monkeypatch.setattr(common, "RESERVE_BYTES", 1 << 60)
    with pytest.raises(common.Problem, match=r"needs \d+ MB .* to spare, but only \d+ MB are free") as raised:
        stage.stage(manifest, Silent(), stage.HANDED)
    assert raised.value.kind == "blocked"
    assert not stage.HANDED.exists()


def test_files_that_stayed_are_not_read_again(stage, manifest, tmp_path, monkeypatch):
    path = tmp_path / "upload/a/picture.jpg"
    os.utime(path, (1_000_000, 1_000_000))
    stage.remember(stage.stage(manifest, Silent(), stage.HANDED))
    read = []
    monkeypatch.setattr(stage, "sha256", lambda path: read.append(path.name) or "0" * 64)
    content = stage.stage(manifest, Silent(), stage.HANDED)
    assert read == ["ejabberd.sqlite"]
    assert len(content["files"][str(path)]["sha256"]) == 64
    path.write_bytes(b"another")
    stage.stage(manifest, Silent(), stage.HANDED)
    assert "picture.jpg" in read


def test_a_file_that_stays_is_linked_and_one_that_may_still_grow_is_copied(stage, manifest, tmp_path):
    old, young = tmp_path / "upload/a/picture.jpg", tmp_path / "upload/a/young.jpg"
    os.utime(old, (1_000_000, 1_000_000))
    young.write_bytes(b"half of it")
    content = stage.stage(manifest, Silent(), stage.HANDED)
    with young.open("ab") as file:
        file.write(b", and the rest")
    assert (stage.HANDED / f"files{old}").stat().st_ino == old.stat().st_ino
    assert (stage.HANDED / f"files{young}").read_bytes() == b"half of it"
    assert content["files"][str(young)]["bytes"] == 10


def change(database, statement):
    connection = sqlite3.connect(database)
    connection.execute(statement)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def test_rows_that_were_changed_are_found_though_their_number_is_the_same(stage, manifest, program):
    (entry,) = stage.stage(manifest, Silent(), stage.HANDED)["databases"]
    copy = stage.HANDED / entry["file"]
    change(copy, "UPDATE archive SET txt = 'forgotten' WHERE id = 7")
    assert program("content").sqlite_differences(entry, copy) == ["table archive has different rows"]
    # A snapshot of a lanpi that did not hash says nothing of it.
    del entry["hashes"]
    assert program("content").sqlite_differences(entry, copy) == []


def test_the_order_of_rows_says_nothing(stage, manifest, program):
    (entry,) = stage.stage(manifest, Silent(), stage.HANDED)["databases"]
    copy = stage.HANDED / entry["file"]
    change(copy, "CREATE TABLE other AS SELECT * FROM archive ORDER BY id DESC")
    with program("content").resting(copy) as database:
        found = program("content").hashes(database)
    assert found["other"] == found["archive"] == entry["hashes"]["archive"]


def test_a_database_in_which_nothing_is_new_is_not_read_row_by_row(stage, manifest, database, monkeypatch):
    first = stage.stage(manifest, Silent(), stage.HANDED)
    stage.remember(first)
    read = []
    monkeypatch.setattr(stage, "hashes", lambda database: read.append(database) or {})
    assert stage.stage(manifest, Silent(), stage.HANDED)["databases"] == first["databases"]
    assert read == []
    change(database, "DELETE FROM archive WHERE id = 7")
    stage.stage(manifest, Silent(), stage.HANDED)
    assert len(read) == 1


def test_a_copy_that_nobody_fetched_goes_after_a_day(stage, manifest):
    stage.stage(manifest, Silent(), stage.HANDED)
    stage.forget_handed()
    assert (stage.HANDED / "content.json").exists()
    yesterday = stage.time.time() - stage.HANDED_SECONDS - 60
    os.utime(stage.HANDED, (yesterday, yesterday))
    stage.forget_handed()
    assert list(stage.HANDED.iterdir()) == []
