"""The settings of backups, and what becomes of them on the Pi."""

import json

import pytest

from lanpi.config.backup import calendar
from lanpi.config.load import effective
from lanpi.deploy.backup_manifest import build_manifest
from lanpi.errors import LanpiError


def configured(**backup):
    return effective({}, {}, [{"backup": backup}]).config


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("hourly", "hourly"), ("02:30", "*-*-* 02:30"), ("Sun 23:05", "Sun *-*-* 23:05")],
)
def test_schedules(schedule, expected):
    assert calendar(configured(schedule=schedule).backup.schedule) == expected


@pytest.mark.parametrize("schedule", ["daily", "24:00", "Sunday 03:00", "3:00", "02:30\nExecStart=x"])
def test_schedules_that_are_none(schedule):
    with pytest.raises(LanpiError, match="schedule"):
        configured(schedule=schedule)


@pytest.mark.parametrize(
    "location",
    [
        "/mnt/disk/backup", "/homes/backup", "usb:1A2B-3C4D", "usb:0b5a1c52-6b2f-4a3c-9d57-0f5d6f3d1c11/pi",
        "sftp:pi@nas.local:/backup", "rest:https://nas.local:8000/pi", "s3:https://s3.example.org/bucket",
    ],
)  # fmt: skip
def test_repositories(location):
    assert configured(repositories=[location]).backup.repositories == [location]


@pytest.mark.parametrize(
    ("locations", "why"),
    [
        (["backup"], "must be a full path"),
        (["/a b"], "must be a full path"),
        (["usb:"], "must be a full path"),
        (["ftp://nas/backup"], "must be a full path"),
        (["rest:https://pi:secret@nas.local/"], "the address must not contain a password"),
        (["/home/pi/backup"], "is in /home, where no backup can be written"),
        (["/root"], "is in /root"),
        (["/tmp/backup"], "is in /tmp"),
        (["/a", "/a"], "the same place is listed twice"),
    ],
)
def test_repositories_that_are_none(locations, why):
    with pytest.raises(LanpiError, match=why):
        configured(repositories=locations)


def test_keeping_nothing_is_refused():
    with pytest.raises(LanpiError, match="no snapshot would be kept"):
        configured(keep_daily=0, keep_weekly=0, keep_monthly=0)


def test_the_manifest_is_what_the_roles_declare(tmp_path):
    items = [{"name": "uploads", "kind": "files", "path": "/u"}]
    document = json.loads(json.dumps(build_manifest(items, configured(), "chat.example.org")))
    assert document["items"] == items
    assert document["keep"] == {"hourly": 0, "daily": 7, "weekly": 4, "monthly": 6}
    assert document["domain"] == "chat.example.org"
