"""A Pi whose server has moved to another one: its server and its name stay off until somebody brings them back."""

import json

import pytest

UNITS = ("lanpi-backup.timer", "lanpi-backup-care.timer", "lanpi-check.timer")


class Quiet:
    def __getattr__(self, name):
        return lambda *_, **__: None


@pytest.fixture
def pi(program, monkeypatch, tmp_path):
    """The module, with the Pi's files in tmp_path; what systemctl is asked to do lands in ``pi.asked``."""
    module = program("moved")
    module.asked = []
    marker = tmp_path / "lanpi/moved.json"
    monkeypatch.setattr(module, "NOTE", marker)
    monkeypatch.setattr(module, "moved", lambda _: json.loads(marker.read_text()) if marker.exists() else None)
    monkeypatch.setattr(module, "UNITS", tmp_path / "units")
    monkeypatch.setattr(module, "NAME_UNIT", tmp_path / "units/lanpi-name.service")
    monkeypatch.setattr(module, "MDNS_SERVICE", tmp_path / "lanpi.service")
    (tmp_path / "units").mkdir()
    for name in UNITS:
        (tmp_path / "units" / name).touch()

    def command(argv, **_):
        module.asked.append((argv[1], [name for name in argv if "." in name], marker.exists()))
        return ""

    monkeypatch.setattr(module, "command", command)
    return module


def test_the_note_is_there_before_the_server_stops(pi):
    """A power cut in between must not bring the server back at the next boot."""
    pi.leave("chat.example.org", "virtual:new")
    assert pi.asked == [("disable", ["ejabberd.service", *UNITS], True)]
    note = json.loads(pi.NOTE.read_text())
    assert (note["to"], note["domain"]) == ("virtual:new", "chat.example.org")
    assert set(note) == {"to", "domain", "when"}
    assert pi.NOTE.stat().st_mode & 0o777 == 0o644


def test_the_name_stays_off_across_a_reboot(pi):
    """lanpi-name.service requires avahi-daemon: left enabled, it would start the announcement again at boot."""
    pi.MDNS_SERVICE.touch()
    pi.NAME_UNIT.touch()
    pi.leave("home.local", "new")
    (_, units, _), *_ = pi.asked
    assert units[-3:] == ["lanpi-name.service", "avahi-daemon.socket", "avahi-daemon.service"]


def test_a_move_that_failed_leaves_no_note(pi):
    pi.leave("home.local", "new")
    pi.come_back("home.local")
    assert not pi.NOTE.exists()
    assert pi.asked[-1][::2] == ("enable", False)  # systemd's condition holds again before the start


@pytest.fixture
def restore(pi, program, monkeypatch, tmp_path):
    """The restore of a server onto a Pi from which the last one has moved out."""
    module = program("restore")
    for name, path in (("FOLDER", "restore"), ("NEW", "restore/new"), ("STATE", "restore/state.json")):
        monkeypatch.setattr(module, name, tmp_path / path)
    monkeypatch.setattr(module, "PREVIOUS", tmp_path / "previous")
    monkeypatch.setattr(module, "exchange", lambda *_: None)
    monkeypatch.setattr(module, "give_back", lambda *_: None)
    monkeypatch.setattr(module, "_load_mnesia", lambda *_: None)
    monkeypatch.setattr(module, "summary", lambda _: {})
    monkeypatch.setattr(module, "command", lambda argv, **_: pi.asked.append((argv[1], argv[2:], pi.NOTE.exists())))
    module.NEW.mkdir(parents=True)
    (module.NEW / module.NAME).write_text(json.dumps({"domain": "home.local", "items": [], "files": {}}))
    module.note(snapshot="1234", phase="settings", previous="before")
    pi.write(pi.Note("virtual:new", "2026-11-24T10:00:00+00:00", "home.local"))
    return module


def test_a_restore_brings_a_server_back(restore, pi, monkeypatch):
    there = []
    monkeypatch.setattr(restore, "_start", lambda _: there.append(pi.NOTE.exists()))
    restore.swap(Quiet())
    assert there == [False]


def test_a_restore_that_fails_leaves_the_moved_server_off(restore, pi, monkeypatch):
    def start(_):
        raise restore.Problem("it does not start")

    monkeypatch.setattr(restore, "_start", start)
    with pytest.raises(restore.Problem, match="it does not start"):
        restore.swap(Quiet())
    assert json.loads(pi.NOTE.read_text())["to"] == "virtual:new"
    assert [verb for verb, *_ in pi.asked] == ["stop", "stop", "disable"]
