"""Read, filter, redact and print the Pi's logs; one JSON document a line."""

import argparse
import json
import os
import re
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lanpi.pi.logs import lines, secrets

FILES: dict[str, tuple[str, Callable[[str], dict[str, Any] | None]]] = {
    "ejabberd": ("/var/log/ejabberd/ejabberd.log", lines.ejabberd),
    "redis": ("/var/log/redis/redis-server.log", lines.redis),
}
UNITS = ("ejabberd.service", "redis-server.service", "epmd.service", "nginx.service", "postgresql@*.service", "lanpi-*")
# Of the kernel only what explains a server's trouble: memory, cards, power, heat, file systems.
KERNEL = (
    "Out of memory|oom-kill|Killed process|mmc|I/O error|EXT4-fs|Buffer I/O|[Uu]nder-?voltage|Voltage normal"
    "|throttl|temperature|read-only|blk_update_request|nvme|usb .*(reset|disconnect)|hung_task|blocked for more"
)
MAX_LINES = 50_000
POLL_SECONDS = 0.5
ROTATED = 4


def join(texts: Iterator[str], parse: Callable[[str], dict[str, Any] | None]) -> Iterator[dict[str, Any]]:
    """Lines as entries; what does not begin one belongs to the entry before it."""
    entry: dict[str, Any] | None = None
    for given in texts:
        text = given.rstrip("\n")
        new = parse(text)
        if new is not None:
            if entry is not None:
                yield entry
            entry = new
        elif entry is not None and len(entry["text"]) < 8000:
            entry["text"] += "\n" + text
    if entry is not None:
        yield entry


def read_file(path: str, parse: Callable[[str], dict[str, Any] | None], since: float) -> list[dict[str, Any]]:
    """Entries of a log and the ones rotated away that still reach back to ``since`` (epoch seconds)."""
    found: list[dict[str, Any]] = []
    for name in [f"{path}.{number}" for number in range(ROTATED, 0, -1)] + [path]:
        for opened in (name, name + ".gz"):
            try:
                if Path(opened).stat().st_mtime < since:
                    continue
                found += [entry for entry in join(_texts(opened), parse) if entry["when"] >= since]
            except (FileNotFoundError, PermissionError):  # none of that number; or not root, who sees less
                continue
    return found


def _texts(path: str) -> Iterator[str]:
    import gzip  # noqa: PLC0415 - python3-minimal lacks it, and a machine without lanpi has no such logs

    with gzip.open(path, "rt", errors="replace") if path.endswith(".gz") else Path(path).open(errors="replace") as file:
        yield from file


def journal_commands(services: list[str], since: str) -> list[list[str]]:
    """The journalctl calls that the asked-for services need."""
    base = ["journalctl", "-o", "json", "--no-pager", "-q", "--since", since]
    commands = []
    units = [unit for unit in UNITS if not services or any(name in unit or unit == "lanpi-*" for name in services)]
    if units:
        commands.append([*base, *[argument for unit in units for argument in ("-u", unit)]])
    if not services or "kernel" in services:
        commands.append([*base, "-k", "--grep", KERNEL])
    return commands


def wanted(entry: dict[str, Any], services: list[str], level: int, pattern: "re.Pattern[str] | None") -> bool:
    """Whether the user asked for this entry."""
    if services and not any(entry["source"].startswith(name) for name in services):
        return False
    if lines.LEVELS.index(entry["level"]) < level:
        return False
    return pattern is None or pattern.search(entry["text"]) is not None


def read_all(services: list[str], since: float) -> list[dict[str, Any]]:
    """Every entry since then, in time order."""
    found: list[dict[str, Any]] = []
    for name, (path, parse) in FILES.items():
        if not services or name in services:
            found += read_file(path, parse, since)
    for command in journal_commands(services, f"@{since:.0f}"):
        done = subprocess.run(command, capture_output=True, check=False)
        for text in done.stdout.decode(errors="replace").splitlines():
            entry = lines.journal(text)
            if entry:
                found.append(entry)
    found.sort(key=lambda entry: entry["when"])
    return found


def follow(services: list[str], emit: Callable[[dict[str, Any]], None]) -> None:
    """Hand over new entries as they come, until whoever reads goes away."""
    commands = [
        (["tail", "-n0", "-F", path], parse)
        for name, (path, parse) in FILES.items()
        if not services or name in services
    ]
    commands += [([*command, "-f", "-n0"], lines.journal) for command in journal_commands(services, "now")]
    with selectors.DefaultSelector() as selector:
        running = []
        try:
            for command, parse in commands:
                process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                running.append(process)
                assert process.stdout is not None
                os.set_blocking(process.stdout.fileno(), False)
                selector.register(process.stdout, selectors.EVENT_READ, [parse, b""])
            parent = os.getppid()
            # The SSH server's child is gone when the reader is: nothing may be left running on the Pi.
            while os.getppid() == parent:
                batch: list[dict[str, Any]] = []
                for key, _ in selector.select(POLL_SECONDS):
                    data = key.fileobj.read(1 << 16)  # type: ignore[union-attr]
                    if not data:
                        selector.unregister(key.fileobj)
                        continue
                    *whole, key.data[1] = (key.data[1] + data).split(b"\n")
                    batch += join((text.decode(errors="replace") for text in whole), key.data[0])
                for entry in sorted(batch, key=lambda entry: entry["when"]):
                    emit(entry)
                if not selector.get_map():
                    return
        finally:
            for process in running:
                process.kill()
                process.wait()


def _secrets() -> list[str]:
    return secrets.known(_text)


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, PermissionError):  # nor can whoever may not read it see logs that hold them
        return None


def main() -> None:
    """Command line: see lanpi.logs.read."""
    parser = argparse.ArgumentParser(prog="logs")
    parser.add_argument("--since-seconds", type=float, default=3600)
    parser.add_argument("--level", default="debug", choices=lines.LEVELS)
    parser.add_argument("--grep", default="")
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--services", default="")
    options = parser.parse_args()
    redact = secrets.redactor(_secrets())
    services = [name for name in options.services.split(",") if name]
    pattern = re.compile(options.grep, re.I) if options.grep else None
    level = lines.LEVELS.index(options.level)

    def emit(entry: dict[str, Any]) -> None:
        entry["text"] = redact(entry["text"])
        if wanted(entry, services, level, pattern):
            sys.stdout.write(json.dumps(entry) + "\n")

    for entry in read_all(services, time.time() - options.since_seconds)[-MAX_LINES:]:
        emit(entry)
    sys.stdout.flush()
    if options.follow:

        def emit_now(entry: dict[str, Any]) -> None:
            emit(entry)
            sys.stdout.flush()

        follow(services, emit_now)
