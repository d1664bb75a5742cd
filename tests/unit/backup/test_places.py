"""Disks that are not there, go away or cannot be written to; clocks that jump."""

import os
import subprocess

import pytest

UUID = "1A2B-3C4D"


@pytest.fixture
def places(program, monkeypatch, tmp_path):
    module = program("places")
    monkeypatch.setattr(module, "USB_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(module, "BY_UUID", tmp_path / "by-uuid")
    (tmp_path / "by-uuid").mkdir()
    calls, module.mount_says = [], ""

    def run(argv, **_):
        calls.append(f"{argv[0]} quietly")
        return subprocess.CompletedProcess(argv, 32 if module.mount_says else 0, "", module.mount_says)

    monkeypatch.setattr(module, "command", lambda argv, **_: calls.append(argv[0]) or "")
    monkeypatch.setattr(module.subprocess, "run", run)
    module.calls = calls
    return module


def test_a_disk_that_is_not_there_is_named(places, program):
    with pytest.raises(program("common").Problem, match=f"the USB disk {UUID} is not connected") as raised:
        places.opened(f"usb:{UUID}").__enter__()
    assert raised.value.kind == "missing"


def test_a_disk_is_mounted_for_the_run_only(places):
    (places.BY_UUID / UUID).touch()
    with places.opened(f"usb:{UUID}/mine") as repository:
        assert repository.endswith(f"/usb/{UUID}.{os.getpid()}/mine")
        assert places.calls == ["mount quietly"]
    assert places.calls == ["mount quietly", "umount"]
    assert list((places.RUN / "usb").iterdir()) == []


def test_what_a_killed_run_left_mounted_is_let_go(places):
    (places.BY_UUID / UUID).touch()
    left, anothers = (places.RUN / "usb" / f"{UUID}.{number}" for number in (999_999_999, os.getppid()))
    left.mkdir(parents=True)
    anothers.mkdir()
    with places.opened(f"usb:{UUID}"):
        assert places.calls == ["umount quietly", "mount quietly"]
    assert list((places.RUN / "usb").iterdir()) == [anothers]


def test_a_disk_that_cannot_be_mounted_says_why(places, program):
    (places.BY_UUID / UUID).touch()
    places.mount_says = "mount: /run/x: unknown filesystem type 'crypto_LUKS'.\n       dmesg(1) may have more."
    text = f"the USB disk {UUID} cannot be mounted: unknown filesystem type 'crypto_LUKS'$"
    with pytest.raises(program("common").Problem, match=text), places.opened(f"usb:{UUID}"):
        pass


def test_a_disk_pulled_out_is_named_whatever_restic_says(places, program):
    problem = program("common").Problem
    (places.BY_UUID / UUID).touch()
    with pytest.raises(problem, match=f"the USB disk {UUID} was pulled out"), places.opened(f"usb:{UUID}"):
        (places.BY_UUID / UUID).unlink()
        raise problem("restic backup failed: input/output error")
    assert places.calls == ["mount quietly", "umount quietly"]


def test_another_failure_stays_what_it_is(places, program):
    problem = program("common").Problem
    (places.BY_UUID / UUID).touch()
    with pytest.raises(problem, match="the key does not open"), places.opened(f"usb:{UUID}"):
        raise problem("the key does not open the repository")


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(places, program, monkeypatch, tmp_path):
    monkeypatch.setattr(places.os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(program("common").Problem, match=r"cannot be written to: .* is read-only for backups"):
        places.require_writable(str(tmp_path / "not there" / "yet"), "/mnt/disk")
    places.require_writable("sftp:pi@store:/backup", "sftp:pi@store:/backup")


def test_a_snapshot_from_the_future_is_not_the_newest(program):
    found = [{"time": f"{day}T03:00:00Z"} for day in ("2026-11-22", "2026-11-23", "2038-01-19")]
    noon = 1795435200  # 2026-11-23 12:00 UTC
    assert program("catalogue").newest(found, noon)["time"].startswith("2026-11-23")
    # A clock that is behind all of them says nothing about which is the newest.
    assert program("catalogue").newest(found, 0)["time"].startswith("2038")


def test_what_is_lost_with_the_card(places, monkeypatch, tmp_path):
    monkeypatch.setattr(places, "CARD", tmp_path)
    assert places.on_card(str(tmp_path / "not there/yet"))
    assert not places.on_card("/proc")
    assert not places.on_card("usb:1A2B-3C4D")
    assert not places.on_card("sftp:pi@nas:/backup")
