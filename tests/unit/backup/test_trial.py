"""A place is tried before backups depend on it; what an uninstall forgot is learnt from the places again."""

import json
import socket

import pytest


class Said(list):
    def say(self, event, **values):
        self.append((event, values))

    def step(self, text):
        pass


class Repository:
    """What restic keeps at one place; ``broken`` gives back something else than was written."""

    def __init__(self):
        self.exists_there, self.kept, self.broken, self.tags = False, {}, False, {}

    def exists(self):
        return self.exists_there

    def past_dead_locks(self, do):
        return do()

    def run(self, verb, *arguments):
        if verb == "init":
            self.exists_there = True
        if verb == "dump":
            return "?" if self.broken else self.kept[arguments[1]]
        if verb == "forget":
            del self.kept[arguments[0]]
        return ""

    def backup(self, folder, host, tag):
        name = "a" * 64
        self.kept[name], self.tags[name] = (folder / "trial").read_text(), tag
        return {"snapshot_id": name}

    def snapshots(self, *filters):
        return [
            {"id": name, "tags": [self.tags[name]], "time": self.kept[name] if "T" in self.kept[name] else ""}
            for name in self.kept
            if not filters or self.tags[name] in filters
        ]


@pytest.fixture
def trial(program, monkeypatch, tmp_path):
    module = program("trial")
    module.repository = Repository()
    monkeypatch.setattr(module, "KEY", tmp_path / "key")
    monkeypatch.setattr(module, "MANIFEST", tmp_path / "manifest.json")
    monkeypatch.setattr(module, "Restic", lambda *_: module.repository)
    monkeypatch.setattr(module.shutil, "which", lambda _: "/usr/bin/restic")
    (tmp_path / "key").write_text("key")
    module.said = Said()
    module.place = str(tmp_path / "disk/backup")
    return module


def test_a_place_is_written_read_back_and_left_as_it_was(trial):
    trial.attempt(trial.said, trial.place, reach_only=False)
    assert trial.said == [("result", {"complete": True, "new": True, "snapshots": 0})]
    assert trial.repository.exists_there
    assert trial.repository.kept == {}
    assert trial.status.read()["repositories"][trial.place]["made"]


def test_what_comes_back_otherwise_is_refused(trial):
    trial.repository.broken = True
    with pytest.raises(trial.Problem, match="did not come back as it was"):
        trial.attempt(trial.said, trial.place, reach_only=False)
    assert trial.status.read()["repositories"] == {}


def test_a_pi_without_a_key_reaches_the_place_only(trial, tmp_path):
    trial.KEY.unlink()
    trial.attempt(trial.said, trial.place, reach_only=False)
    assert trial.said == [("result", {"complete": False, "new": False, "snapshots": 0})]
    assert not trial.repository.exists_there
    assert [path.name for path in tmp_path.iterdir() if "trial" in path.name] == []


def test_a_check_writes_nothing(trial):
    trial.attempt(trial.said, trial.place, reach_only=True)
    assert not trial.repository.exists_there


def test_a_disk_that_is_not_there_is_refused(trial, monkeypatch):
    monkeypatch.setattr("lanpi.pi.backup.places.USB_WAIT_SECONDS", 0.0)
    with pytest.raises(trial.Problem, match="the USB disk 1A2B-3C4D is not connected"):
        trial.attempt(trial.said, "usb:1A2B-3C4D", reach_only=False)


def test_a_server_that_does_not_answer_is_refused(trial):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, and nobody answers
        place = f"rest:http://127.0.0.1:{taken.getsockname()[1]}/pi/"
        with pytest.raises(trial.Problem, match=r"does not answer: 127\.0\.0\.1, port \d+: Connection refused"):
            trial.attempt(trial.said, place, reach_only=False)


@pytest.fixture
def reinstalled(trial, tmp_path):
    """A Pi whose repositories exist, and which knows nothing of them."""
    trial.MANIFEST.write_text(json.dumps({"domain": "home.local", "repositories": [trial.place]}))
    (tmp_path / "disk/backup").mkdir(parents=True)
    for day in ("23", "24"):
        trial.repository.kept[day] = f"2026-11-{day}T02:30:00.5Z"
        trial.repository.tags[day] = "lanpi:home.local"
    return trial


def test_what_an_uninstall_forgot_is_learnt_from_the_repository(reinstalled, tmp_path):
    (tmp_path / "disk/backup/config").touch()
    reinstalled.recall(reinstalled.said)
    assert reinstalled.said == [("result", {"snapshots": 2})]
    known = reinstalled.status.read()
    assert known["last_success"] == "2026-11-24T02:30:00+00:00"
    assert known["repositories"][reinstalled.place]["last_success"] == known["last_success"]
    assert known["repositories"][reinstalled.place]["made"]


def test_a_place_without_a_repository_is_not_asked(reinstalled):
    reinstalled.recall(reinstalled.said)
    assert reinstalled.said == [("result", {"snapshots": 0})]
    assert reinstalled.status.read()["last_success"] == ""


def test_a_place_that_is_away_does_not_stop_an_install(reinstalled, monkeypatch):
    monkeypatch.setattr("lanpi.pi.backup.places.USB_WAIT_SECONDS", 0.0)
    reinstalled.MANIFEST.write_text(json.dumps({"domain": "home.local", "repositories": ["usb:1A2B-3C4D"]}))
    reinstalled.recall(reinstalled.said)
    assert [event for event, _ in reinstalled.said] == ["note", "result"]
