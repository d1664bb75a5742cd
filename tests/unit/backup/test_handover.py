"""What the Pi that takes over asks for, and what it makes of what comes."""

import hashlib
import json

import pytest

FILM = "/var/lib/ejabberd/upload/a/film"


class Said:
    def __init__(self):
        self.result = {}

    def say(self, event, **values):
        self.result = values

    def step(self, text):
        pass


def entry(data):
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def content(**files):
    """A giver's content: an empty database of its own kind, and files below the uploads."""
    named = {f"/var/lib/ejabberd/upload/{name}": entry(data) for name, data in files.items()}
    return {"format": 1, "domain": "home.local", "files": named, "folders": {}, "mnesia": None,
            "databases": [{"kind": "postgresql", "file": "databases/ejabberd.pgdump", **entry(b"dump")}]}  # fmt: skip


@pytest.fixture
def handover(program, monkeypatch, tmp_path):
    restore = program("restore")
    monkeypatch.setattr(restore, "FOLDER", tmp_path / "restore")
    monkeypatch.setattr(restore, "NEW", tmp_path / "restore/new")
    monkeypatch.setattr(restore, "STATE", tmp_path / "restore/state.json")
    module = program("handover")
    module.restore = restore
    module.Problem = program("common").Problem
    return module


@pytest.fixture
def take(handover, tmp_path):
    """Announce a content and say what is asked for."""

    def announce(coming):
        path = tmp_path / "coming.json"
        path.write_text(json.dumps(coming))
        said = Said()
        handover.expect(said, path)
        return [name for name, _ in said.result["wanted"]]

    return announce


@pytest.fixture
def send(handover):
    def put(name, data):
        (handover.restore.NEW / name).write_bytes(data)

    return put


UPLOAD = "files/var/lib/ejabberd/upload"
DUMP = "databases/ejabberd.pgdump"


def test_the_second_round_asks_for_what_changed_only(handover, take, send):
    assert take(content(film=b"film", song=b"song")) == [f"{UPLOAD}/film", f"{UPLOAD}/song", DUMP]
    send(f"{UPLOAD}/film", b"film")
    send(f"{UPLOAD}/song", b"song")
    send(DUMP, b"dump")
    handover.arrived(Said())
    assert handover.restore.state()["phase"] == "fetched"
    assert take(content(film=b"film", news=b"news")) == [f"{UPLOAD}/news", DUMP]
    assert (handover.restore.NEW / UPLOAD / "film").read_bytes() == b"film"
    assert not (handover.restore.NEW / UPLOAD / "song").exists()


def test_a_round_that_was_cut_off_is_not_sent_again_and_leaves_nothing_that_is_gone(handover, take, send):
    take(content(film=b"film", song=b"song", news=b"news"))
    send(f"{UPLOAD}/film", b"film")
    send(f"{UPLOAD}/song", b"so")
    send(f"{UPLOAD}/news", b"news")
    assert take(content(film=b"film", song=b"song")) == [f"{UPLOAD}/song", DUMP]
    assert not (handover.restore.NEW / UPLOAD / "news").exists()


@pytest.mark.parametrize("came", [b"fil", b"FILM", None])
def test_what_did_not_arrive_whole_is_named(handover, take, send, came):
    take(content(film=b"film"))
    send(DUMP, b"dump")
    if came is not None:
        send(f"{UPLOAD}/film", came)
    with pytest.raises(handover.Problem, match=r"1 files did not arrive as they were sent: .*/film"):
        handover.arrived(Said())
    assert handover.restore.state()["phase"] == "fetching"


def test_a_move_cut_off_before_its_proof_goes_back_first(handover, take, monkeypatch):
    take(content(film=b"film"))
    handover.restore.note(phase="swapped")
    gone_back = []

    def back(reporter):
        gone_back.append(True)
        handover.restore.note(phase="fetching")

    monkeypatch.setattr(handover.restore, "back", back)
    assert take(content(film=b"film")) == [f"{UPLOAD}/film", DUMP]
    assert gone_back == [True]


def test_an_unfinished_restore_of_something_else_is_not_overwritten(handover, take):
    handover.restore.FOLDER.mkdir()
    handover.restore.note(snapshot="0123abcd", phase="swapping", previous="x")
    with pytest.raises(handover.Problem, match="on the new Pi was interrupted and is not finished"):
        take(content())
