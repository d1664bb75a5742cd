"""What the modules on the Pi decide, and what they remember."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def state_module(tmp_path, monkeypatch):
    """lanpi_state with its files in a temporary folder."""
    from ansible.module_utils import lanpi_state

    monkeypatch.setattr(lanpi_state, "FOLDER", tmp_path / "state")
    monkeypatch.setattr(lanpi_state, "STATE", tmp_path / "state/state.json")
    monkeypatch.setattr(lanpi_state, "ORIGINALS", tmp_path / "state/originals")
    monkeypatch.setattr(lanpi_state.os, "fchown", lambda *_: None)
    return lanpi_state


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "console=tty1 root=PARTUUID=1-02 rootwait\n",
            "console=tty1 root=PARTUUID=1-02 rootwait cgroup_enable=memory\n",
        ),
        ("a cgroup_disable=memory b", "a b cgroup_enable=memory\n"),
        ("a cgroup_enable=memory\n", "a cgroup_enable=memory\n"),
        ("a\nb\n", "a b cgroup_enable=memory\n"),
    ],
)
def test_the_kernels_command_line_stays_one_line(pi_module, before, after):
    line = pi_module("lanpi_cmdline").new_line(before, ["cgroup_enable=memory"], ["cgroup_disable=memory"])
    assert line == after


def unit(active="active", enabled="enabled"):
    return {"ActiveState": active, "UnitFileState": enabled}


@pytest.mark.parametrize(
    ("wanted", "found", "pending", "steps"),
    [
        ({"state": "started", "enabled": True}, unit(), None, []),
        ({"state": "started", "enabled": True}, unit(), "restart", ["restart"]),
        ({"state": "started", "enabled": True}, unit(), "reload", ["reload"]),
        ({"state": "started", "enabled": True}, unit("inactive", "disabled"), "restart", ["enable", "start"]),
        ({"state": "started", "enabled": True}, unit("failed"), None, ["start"]),
        ({"state": "started"}, unit("active", "static"), None, []),
        ({"state": "stopped", "enabled": False}, unit(), None, ["disable", "stop"]),
        ({"state": "stopped", "enabled": False}, unit("inactive", "disabled"), None, []),
        ({"state": "run"}, unit("inactive", "static"), None, ["start"]),
        ({"state": "run"}, unit("active", "static"), None, []),
        ({"state": "run"}, unit("active", "static"), "restart", ["restart"]),
    ],
)
def test_a_units_steps(pi_module, wanted, found, pending, steps):
    assert pi_module("lanpi_units").steps_for(wanted, found, pending) == steps


def test_a_unit_whose_condition_failed_is_held_back(pi_module):
    held_back = pi_module("lanpi_units").held_back
    assert held_back({"ConditionResult": "no", "ConditionTimestampMonotonic": "17"})
    assert not held_back({"ConditionResult": "no", "ConditionTimestampMonotonic": "0"})  # never tried
    assert not held_back({"ConditionResult": "yes", "ConditionTimestampMonotonic": "17"})


def test_originals_and_made_folders_are_remembered_once(state_module, tmp_path):
    present, absent = tmp_path / "etc/present", tmp_path / "etc/new/absent"
    present.parent.mkdir()
    present.write_text("before")
    state = state_module.State()
    state.keep_original(str(present))
    state.keep_original(str(absent))
    present.write_text("ours")
    state.keep_original(str(present))
    state.save()
    again = state_module.State()
    assert Path(again.files[str(present)]).read_text() == "before"
    assert again.files[str(absent)] == "created"
    assert again.folders == [str(tmp_path / "etc/new")]


def test_a_restart_outranks_a_reload(state_module):
    state = state_module.State()
    state.ask("restart", ["a.service"])
    state.ask("reload", ["a.service", "b.service"])
    assert state.pending == {"a.service": "restart", "b.service": "reload"}


def test_a_write_leaves_old_or_new_and_no_litter(state_module, tmp_path, monkeypatch):
    target = tmp_path / "file"
    state_module.write_atomically(target, b"old", 0o600)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(state_module.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        state_module.write_atomically(target, b"new", 0o600)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_secrets_are_made_once_and_masked(tmp_path, monkeypatch, state_module):
    from ansible.module_utils import lanpi_secrets

    path = tmp_path / "secrets.json"
    monkeypatch.setattr(lanpi_secrets, "SECRETS", path)
    text = "requirepass @LANPI_SECRET:redis_password@\n"
    assert lanpi_secrets.Secrets(check_mode=True).fill_in(text) == text
    assert not path.exists()
    secrets = lanpi_secrets.Secrets(check_mode=False)
    filled = secrets.fill_in(text)
    value = json.loads(path.read_text())["redis_password"]
    assert filled == f"requirepass {value}\n"
    assert len(value) >= 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert lanpi_secrets.Secrets(check_mode=False).fill_in(text) == filled
    assert secrets.mask(filled) == text


def test_an_uninstall_keeps_the_note_of_a_move_with_the_data(pi_module, tmp_path):
    """Otherwise the next install would start a second server with the same name."""
    remembered = pi_module("lanpi_data").remembered
    (tmp_path / "state.json").touch()
    assert remembered(tmp_path) == [tmp_path]
    (tmp_path / "moved.json").touch()
    assert remembered(tmp_path) == [tmp_path / "state.json"]
