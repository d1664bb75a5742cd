"""The section ``backup`` of lanpi.yml: where, when, and how long snapshots are kept."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from lanpi.config.section import Allowed, PiPath, Section

_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_SCHEDULE = re.compile(rf"hourly|(?:(?P<day>{_DAYS}) )?(?P<time>(?:[01]\d|2[0-3]):[0-5]\d)")
_USB = re.compile(r"usb:[0-9A-Za-z]{4}[0-9A-Za-z-]*(/[^\s\"'\\]+)?")
_REMOTE = re.compile(r"(sftp|rest|s3):[^\s\"'\\]+")
_PATH = re.compile(r"/[^\s\"'\\]+")
_CLOSED = ("/home", "/root", "/run/user", "/etc", "/usr", "/boot", "/efi", "/tmp", "/var/tmp", "/proc", "/sys", "/dev")  # noqa: S108
"""Folders that the backup program may only read, or has a private one of, or that are no disk
(templates/etc/systemd/system/lanpi-backup.service: ProtectHome, ProtectSystem, PrivateTmp)."""
_WITH_PASSWORD = re.compile(r"//[^/@:]*:[^/@]*@")


def _schedule(value: str) -> str:
    if not _SCHEDULE.fullmatch(value):
        raise ValueError("it must be hourly, HH:MM, or a weekday and a time such as Sun 03:15")
    return value


def _repositories(values: list[str]) -> list[str]:
    for value in values:
        if _WITH_PASSWORD.search(value):
            raise ValueError("the address must not contain a password: put it in /etc/lanpi/backup.env on the Pi")
        if not (_PATH.fullmatch(value) or _USB.fullmatch(value) or _REMOTE.fullmatch(value)):
            raise ValueError(f"{value!r} must be a full path, usb:UUID, sftp:…, rest:… or s3:…")
        closed = next((folder for folder in _CLOSED if f"{value}/".startswith(f"{folder}/")), None)
        if closed:
            raise ValueError(
                f"{value} is in {closed}, where no backup can be written: use a folder such as /srv/backup"
            )
    if len(set(values)) != len(values):
        raise ValueError("the same place is listed twice")
    return values


def calendar(schedule: str) -> str:
    """A schedule as systemd's OnCalendar has it (systemd.time(7)): ``Sun 03:15`` -> ``Sun *-*-* 03:15``."""
    match = _SCHEDULE.fullmatch(schedule)
    if not match or not match["time"]:
        return "hourly"
    return f"{match['day']} *-*-* {match['time']}" if match["day"] else f"*-*-* {match['time']}"


class Backup(Section):
    """Backups of everything that a restore needs."""

    enabled: bool = Field(True, description="Make backups automatically; `lanpi backup now` always works.")
    schedule: Annotated[str, AfterValidator(_schedule), Allowed("hourly, HH:MM, or a weekday and HH:MM")] = Field(
        "02:30", description="When to back up: hourly, a time of day, or a weekday and a time such as Sun 03:15."
    )
    repositories: Annotated[
        list[str], AfterValidator(_repositories), Allowed("a list of paths, usb:UUID, sftp:…, rest:…, s3:…")
    ] = Field(
        ["/var/backups/lanpi"],
        description="Places to back up to: a folder on the Pi, usb:UUID of a disk, or sftp:, rest: or s3: in restic's "
        "notation. The default is on the Pi's own card and is lost with it.",
    )
    keep_hourly: int = Field(0, ge=0, le=1000, description="Number of hourly snapshots to keep.")
    keep_daily: int = Field(7, ge=0, le=1000, description="Number of daily snapshots to keep.")
    keep_weekly: int = Field(4, ge=0, le=1000, description="Number of weekly snapshots to keep.")
    keep_monthly: int = Field(6, ge=0, le=1000, description="Number of monthly snapshots to keep.")
    hook_before: PiPath | None = Field(None, description="Program on the Pi to run before each backup.")
    hook_after: PiPath | None = Field(None, description="Program on the Pi to run after each backup.")
    notify: bool = Field(True, description="Tell the administrator, in the ways of alert.to, when a backup fails.")

    @model_validator(mode="after")
    def _something_is_kept(self) -> "Backup":
        if not (self.keep_hourly or self.keep_daily or self.keep_weekly or self.keep_monthly):
            raise ValueError(
                "keep_hourly, keep_daily, keep_weekly and keep_monthly are all 0, so no snapshot would be kept"
            )
        return self
