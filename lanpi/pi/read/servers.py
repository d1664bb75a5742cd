"""What the servers say of themselves: their last lines, Redis's figures, ejabberd's open files."""

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

from lanpi.pi.logs import collect as logs
from lanpi.pi.logs import lines, secrets
from lanpi.pi.read.source import Machine

DAY_SECONDS = 86_400
MOST_LINES = 600
CRASH_DUMPS = ("/var/log/ejabberd", "/var/lib/ejabberd")
# Told at lower levels than warning, and yet what a check goes by.
TELLING = re.compile(r"Main process exited|Failed with result|Start request repeated|authentication for|mismatch|Clock")


def telling_lines(source: Machine) -> list[dict[str, Any]]:
    """The last day's lines that can be evidence, without secrets."""
    redact = secrets.redactor(secrets.known(source.read_text))
    warning = lines.LEVELS.index("warning")
    found = [
        entry
        for entry in logs.read_all([], source.epoch() - DAY_SECONDS)
        if lines.LEVELS.index(entry["level"]) >= warning or entry["source"] == "kernel" or TELLING.search(entry["text"])
    ]
    return [entry | {"text": redact(entry["text"])[:2000]} for entry in found[-MOST_LINES:]]


def crash_slogan(source: Machine) -> str:
    """Why Erlang gave up, where it did so in the last day."""
    for folder in CRASH_DUMPS:
        for name in sorted(source.names(folder), reverse=True):
            dump = Path(folder, name)
            if not name.startswith("erl_crash") or not name.endswith(".dump"):
                continue
            if source.epoch() - (source.modified(str(dump)) or 0) < DAY_SECONDS:
                found = re.search(r"^Slogan: (.*)$", _beginning(dump), re.MULTILINE)
                if found:
                    return found[1]
    return ""


def _beginning(path: Path) -> str:
    try:
        with path.open(errors="replace") as file:
            return file.read(4000)
    except (FileNotFoundError, PermissionError):
        return ""


def redis(source: Machine) -> dict[str, str] | None:
    """INFO; None where Redis does not answer."""
    password = json.loads(source.read_text(secrets.SECRETS) or "{}").get("redis_password", "")
    try:
        with socket.create_connection(("127.0.0.1", 6379), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\nINFO\r\nQUIT\r\n".encode())
            told = b""
            while data := connection.recv(1 << 16):
                told += data
    except OSError:
        return None
    found = dict(re.findall(r"^(\w+):(.*?)\r?$", told.decode(errors="replace"), re.MULTILINE))
    keys = ("used_memory", "maxmemory", "evicted_keys", "rdb_last_bgsave_status", "aof_last_write_status",
            "rejected_connections", "maxmemory_policy")  # fmt: skip
    return {key: found[key] for key in keys if key in found} or None


def open_files(source: Machine) -> tuple[int | None, int | None]:
    """Of ejabberd's Erlang: open, and how many it may."""
    for process in source.names("/proc"):
        if process.isdigit() and "-s\0ejabberd" in (source.read_text(f"/proc/{process}/cmdline") or ""):
            limits = source.read_text(f"/proc/{process}/limits") or ""
            bound = re.search(r"^Max open files\s+(\d+)", limits, re.MULTILINE)
            try:
                return len(os.listdir(f"/proc/{process}/fd")), int(bound[1]) if bound else None  # noqa: PTH208
            except OSError:  # not root, or it ended meanwhile
                return None, None
    return None, None
