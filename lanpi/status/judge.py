"""From readings to lines and a verdict; pure."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import yaml

from lanpi.config.model import Config
from lanpi.deploy.limits_stored import misfits
from lanpi.pi.im.api import database_of
from lanpi.pi.read.services import POSTGRESQL
from lanpi.pi.thresholds import RESTART_WINDOW_SECONDS, TABLE, Level
from lanpi.status.judge_board import board_lines, link_lines
from lanpi.status.judge_history import history_lines, with_since
from lanpi.status.lines import NOT_AVAILABLE, UNKNOWN, VERDICTS, Line, duration, size, worst
from lanpi.status.model import MadeFor, Readings, Service

REQUIRED = ("ejabberd.service", "redis-server.service")
CORE = (*REQUIRED, "nginx.service")
"""Down, each of them is critical. A Pi of an earlier lanpi has no nginx, and misses nothing."""
BACKUP_TIMER = "lanpi-backup.timer"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Report:
    """A Pi's status.

    Attributes:
        target: as the user named it.
        exit_status: 0 ok, 1 warning, 2 critical, 3 unknown.
        summary: the verdict in one sentence.
        lines: everything that was judged.
        readings: what the report was made from; None when nothing could be read.
    """

    target: str
    exit_status: int
    summary: str
    lines: tuple[Line, ...]
    readings: Readings | None

    @property
    def verdict(self) -> str:
        """The exit status as a word."""
        return VERDICTS[self.exit_status]

    def completed(self, complete: Callable[[str], str]) -> "Report":
        """The same with the commands in its texts ready to be pasted, see :mod:`lanpi.hints`."""
        lines = tuple(replace(line, text=complete(line.text), hint=complete(line.hint)) for line in self.lines)
        return replace(self, summary=complete(self.summary), lines=lines)


def unreachable(target: str, why: str) -> Report:
    """The report for a Pi that could not be read."""
    return Report(target, UNKNOWN, why, (), None)


def judge(target: str, readings: Readings, more: tuple[Line, ...] = ()) -> Report:
    """Judge every reading; the worst level is the verdict.

    Args:
        target: as the user named it.
        readings: of that Pi.
        more: further lines that count towards the verdict, shown last.
    """
    if not is_installed(readings):
        found = (*board_lines(readings.board), *link_lines(readings.links), *_system(readings))
        return Report(target, UNKNOWN, "lanpi is not installed on this Pi", tuple(found), readings)
    lines = (
        *_installed(readings),
        *_services(readings),
        *_people(readings),
        *history_lines(readings.history, readings.epoch_seconds),
        *board_lines(readings.board),
        *link_lines(readings.links),
        *_upkeep(readings),
        *_system(readings),
        *more,
    )
    lines = with_since(lines, readings.history, readings.epoch_seconds)
    status = worst(lines)
    bad = [line for line in lines if line.level in ("warning", "critical")]
    bad.sort(key=lambda line: line.level)  # "critical" before "warning"
    summary = "; ".join(f"{line.label}: {line.text}" for line in bad[:3]) or "all is well"
    if len(bad) > 3:
        summary += f"; and {len(bad) - 3} more"
    return Report(target, status, summary, lines, readings)


def is_installed(readings: Readings) -> bool:
    """Whether lanpi has left anything on the Pi."""
    return readings.config_text is not None or readings.installed is not None


def _installed(readings: Readings) -> list[Line]:
    if readings.installed and not readings.installed.finished:
        return [Line("install", "Services", "Install", "warning", "not finished", "Run the same `lanpi install` again")]
    return []


def _services(readings: Readings) -> list[Line]:
    known = {service.unit: service for service in readings.services}
    lines = [
        Line(f"service:{unit}", "Services", unit.removesuffix(".service"), "critical", "not installed")
        for unit in REQUIRED
        if unit not in known
    ]
    # Without these nobody can send a message. A database cluster that is not ours does not count.
    ours = database_of(readings.config_text) == "postgresql"
    core = {unit for unit in known if unit in CORE or (ours and unit.startswith(POSTGRESQL))}
    fine = 0
    for service in readings.services:
        if service.unit.startswith(POSTGRESQL) and not ours:
            continue
        line = _service(service, readings.epoch_seconds, core=service.unit in core)
        if line is None:
            continue
        if line.level == "ok" and service.unit not in core:
            fine += 1
        else:
            lines.append(line)
    if fine:
        lines.append(Line("services", "Services", "Others", "ok", f"{fine} units are as they should be"))
    return lines


def _service(service: Service, now: float, *, core: bool) -> Line | None:
    key, label = f"service:{service.unit}", service.unit.removesuffix(".service")
    look = f"See why: journalctl -u {service.unit}"
    if service.active == "active":
        level, parts = _running(service, now)
        return Line(key, "Services", label, level, ", ".join(parts), look if level != "ok" else "")
    if service.active in ("inactive", "deactivating") and not core:
        # Switched off by somebody or by the configuration, or a job that is not running right now.
        if service.enabled not in ("enabled", "enabled-runtime") or service.type == "oneshot":
            return None
        text = f"stopped{_lasting(service, now)}"
        return Line(key, "Services", label, "warning", text, f"Start it: systemctl start {service.unit}")
    if service.active in ("activating", "reloading"):
        often = f", restarted {service.restarts} times" if service.restarts else ""
        return Line(key, "Services", label, "warning", f"starting{often}", look)
    why = f" ({service.result})" if service.result not in ("", "success") else ""
    text = f"{service.active}{why}{_lasting(service, now)}"
    return Line(key, "Services", label, "critical" if core else "warning", text, look)


def _lasting(service: Service, now: float) -> str:
    """How long a unit has been in its state; empty where systemd does not say, as for a unit that never ran."""
    return "" if service.since_epoch is None else f", for {duration(max(now - service.since_epoch, 0.0))}"


def _running(service: Service, now: float) -> tuple[Level, list[str]]:
    age = None if service.since_epoch is None else max(now - service.since_epoch, 0.0)
    parts = ["running" if service.sub in ("running", "") else service.sub]
    if age is not None:
        parts[0] += f" for {duration(age)}"
    if service.restarts:
        parts.append(f"{service.restarts} restarts")
    if service.memory_bytes is not None:
        parts.append(size(service.memory_bytes))
    if service.cpu_percent is not None:
        parts.append(f"{service.cpu_percent:.0f} % CPU")
    if service.written_bytes is not None:
        days = (age or 0) / 86400
        rate = f" ({size(service.written_bytes / days)} a day)" if days >= 1 else ""
        parts.append(f"{size(service.written_bytes)} written{rate}")
    recent = age is not None and age < RESTART_WINDOW_SECONDS
    return (TABLE["service_restarts"].level(service.restarts) if recent and service.restarts else "ok"), parts


def _people(readings: Readings) -> list[Line]:
    people = readings.people
    why = "" if readings.is_root else " without root"
    if people is None or people.registered is None:
        return [Line("people", "People", "People", "unknown", NOT_AVAILABLE + why)]
    lines = [
        Line(
            "people",
            "People",
            "People",
            "ok",
            f"{people.online} of {people.registered} online, {people.sessions} sessions",
        ),
        Line(
            "answer",
            "People",
            "Answer",
            TABLE["answer_seconds"].level(people.answer_seconds),
            f"in {1000 * people.answer_seconds:.0f} ms" if people.answer_seconds is not None else NOT_AVAILABLE,
        ),
    ]
    if people.sent_per_minute is None:
        lines.append(Line("messages", "People", "Messages", "unknown", NOT_AVAILABLE))
    else:
        text = f"{people.sent_per_minute} sent, {people.received_per_minute} received in the last minute"
        lines.append(Line("messages", "People", "Messages", "ok", text))
    return lines


def _upkeep(readings: Readings) -> list[Line]:
    days = readings.certificate_days_left
    if days is None:
        certificate = NOT_AVAILABLE
    else:
        certificate = f"{days:.0f} days left" if days >= 0 else f"expired {-days:.0f} days ago"
    level = TABLE["certificate"].level(days)
    hint = "Renew it: systemctl start lanpi-tls.service" if level in ("warning", "critical") else ""
    return [
        Line("certificate", "Upkeep", "Certificate", level, certificate, hint),
        *_backup(readings),
        *_limits(readings),
        _logs(readings),
    ]


def _backup(readings: Readings) -> list[Line]:
    backup = readings.backup
    if backup is None:
        timers = [service for service in readings.services if service.unit == BACKUP_TIMER]
        if timers and timers[0].active == "active" and readings.is_root:
            return [Line("backup", "Upkeep", "Backup", "warning", "none yet", "Make the first one: lanpi backup now")]
        text = "not set up" if not timers else NOT_AVAILABLE
        return [Line("backup", "Upkeep", "Backup", "unknown", text)]
    lines = []
    made, verified = _age(backup.last_success, readings), _age(backup.last_verified, readings)
    level = TABLE["backup_age"].level(None if made is None else made / 3600)
    text = "never" if made is None else f"{duration(made)} ago"
    if made is None:
        level = "warning"
    if backup.last_error:
        text, level = (
            f"{text}; the last one failed: {backup.last_error}",
            "critical" if level == "critical" else "warning",
        )
    lines.append(Line("backup", "Upkeep", "Backup", level, text))
    level = "warning" if verified is None else TABLE["verified_age"].level(verified / 86400)
    text = "never" if verified is None else f"{duration(verified)} ago"
    lines.append(Line("backup_verified", "Upkeep", "Backup verified", level, text))
    if not backup.key_saved:
        lines.append(Line("backup_key", "Upkeep", "Backup key", "warning", "only on the Pi: lost when the Pi is lost"))
    return lines


def _limits(readings: Readings) -> list[Line]:
    """Whether the limits were decided for this machine; they were not when the card has moved to another Pi."""
    if readings.limits_made_for is None:
        return [Line("limits", "Upkeep", "Limits", "unknown", NOT_AVAILABLE)]
    board = readings.board
    reasons = misfits(readings.limits_made_for, MadeFor(board.memory_total_bytes, board.cores, board.disk_kind))
    if not reasons:
        return [Line("limits", "Upkeep", "Limits", "ok", "they fit this Pi")]
    text = f"they no longer fit this Pi: {'; '.join(reasons)}"
    return [Line("limits", "Upkeep", "Limits", "warning", text, "Adjust them: lanpi tune")]


def _age(when: str, readings: Readings) -> float | None:
    """Seconds since an ISO 8601 time; None where there is none."""
    try:
        return max(readings.epoch_seconds - datetime.fromisoformat(when).timestamp(), 0.0)
    except ValueError:
        return None


def log_bound_bytes(config_text: str | None) -> int:
    """``logs.max_mb`` of the configuration on the Pi, or its default."""
    bound = Config().logs.max_mb
    # It is not set on the Pi, or was set by hand to something invalid: the default is in effect.
    with suppress(yaml.YAMLError, TypeError, KeyError, ValueError):
        bound = int(yaml.safe_load(config_text or "")["logs"]["max_mb"])
    return bound * MEGABYTE


def _logs(readings: Readings) -> Line:
    bound = log_bound_bytes(readings.config_text)
    if readings.logs_bytes is None:
        return Line("logs", "Upkeep", "Logs", "unknown", NOT_AVAILABLE)
    share = 100 * readings.logs_bytes / bound
    level = TABLE["logs_used"].level(share)
    return Line("logs", "Upkeep", "Logs", level, f"{size(readings.logs_bytes)} of {size(bound)}")


def _system(readings: Readings) -> list[Line]:
    pending = readings.security_updates
    clock: dict[bool | None, tuple[Level, str]] = {
        True: ("ok", "in sync"),
        False: ("warning", "not in sync"),
        None: ("unknown", NOT_AVAILABLE),
    }
    if pending is None:
        updates = NOT_AVAILABLE
    else:
        updates = f"{len(pending)} pending: {', '.join(pending[:5])}" if pending else "none pending"
    reasons = readings.reboot_reasons
    return [
        Line(
            "security_updates",
            "System",
            "Security upgrades",
            TABLE["security_updates"].level(None if pending is None else len(pending)),
            updates,
            "Install them now: sudo unattended-upgrade" if pending else "",
        ),
        Line(
            "reboot",
            "System",
            "Reboot",
            "warning" if reasons else "ok",
            "; ".join(reasons) or "not needed",
            "sudo reboot" if reasons else "",
        ),
        Line("clock", "System", "Clock", *clock[readings.clock_synchronised]),
    ]
