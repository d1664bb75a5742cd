"""Log lines of every source in one form."""

import datetime
import json
import re
from typing import Any

LEVELS = ("debug", "info", "notice", "warning", "error", "critical")
_EJABBERD = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+(?:[+-]\d\d:\d\d|Z)) \[(\w+)\] (.*)", re.S)
_REDIS = re.compile(r"\d+:\w (\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) ([.*#-]) (.*)", re.S)
_REDIS_LEVELS = {".": "debug", "-": "info", "*": "notice", "#": "warning"}
# syslog's numbers (RFC 5424, table 2): emergency 0 … debug 7.
_PRIORITIES = ("critical", "critical", "critical", "error", "warning", "notice", "info", "debug")
_MICROSECONDS = 1_000_000


def line(when: float, source: str, level: str, text: str) -> dict[str, Any]:
    """One line: seconds since the epoch, who says it, how bad, what."""
    return {"when": when, "source": source, "level": level, "text": text}


def ejabberd(text: str) -> dict[str, Any] | None:
    """A line of ejabberd.log; None for the continuation of an earlier one."""
    found = _EJABBERD.match(text)
    if not found:
        return None
    level = {"emergency": "critical", "alert": "critical"}.get(found[2], found[2])
    when = datetime.datetime.fromisoformat(found[1]).timestamp()
    return line(when, "ejabberd", level if level in LEVELS else "info", found[3])


def redis(text: str) -> dict[str, Any] | None:
    """A line of redis-server.log, which is in the machine's own time zone; None for anything else."""
    found = _REDIS.match(text)
    if not found:
        return None
    when = datetime.datetime.strptime(found[1], "%d %b %Y %H:%M:%S.%f").astimezone().timestamp()
    return line(when, "redis", _REDIS_LEVELS[found[2]], found[3])


def journal(text: str) -> dict[str, Any] | None:
    """An entry of ``journalctl -o json``."""
    try:
        entry = json.loads(text)
        message = entry.get("MESSAGE")
        if isinstance(message, list):  # not UTF-8: the journal gives bytes
            message = bytes(message).decode(errors="replace")
        if not isinstance(message, str):
            return None
        when = int(entry["__REALTIME_TIMESTAMP"]) / _MICROSECONDS
        level = _PRIORITIES[int(entry.get("PRIORITY", 6))]
    except (ValueError, KeyError, TypeError, IndexError):
        return None
    unit = str(entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or "")
    kernel = entry.get("_TRANSPORT") == "kernel"
    source = "kernel" if kernel else unit.removesuffix(".service") or str(entry.get("SYSLOG_IDENTIFIER", "journal"))
    return line(when, source, level, message)
