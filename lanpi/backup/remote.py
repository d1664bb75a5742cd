"""The Pi's own backup program, started from here and followed: one JSON document a line."""

import io
import json
import tarfile
from collections.abc import Sequence
from typing import Any

from lanpi import paths
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.progress import Progress
from lanpi.ship.closure import closure, text

ENTRY = "lanpi.pi.backup.main"
INSTALLED = "/usr/lib/lanpi/backup"
SENT = "/run/lanpi/restore"
"""Where the program goes on a Pi that has none (or another version's); in memory, gone with the next boot."""
KINDS = {
    "bad-input": ExitCode.BAD_INPUT,
    "refused": ExitCode.REFUSED,
    "blocked": ExitCode.BLOCKED,
    "missing": ExitCode.MISSING,
}
"""The program's kinds of failure, from lanpi/pi/backup/common.py; others are FAILED."""
QUIETLY = (
    *("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--slice=lanpi-upkeep.slice"),
    *("-p", "Nice=19", "-p", "CPUSchedulingPolicy=idle", "-p", "IOSchedulingClass=idle"),
    *("-p", "CacheDirectory=lanpi-backup"),
)
"""Prefix for long work, so that people's messages come first, as in the timers' units."""
CONFINED = (
    *("systemd-run", "--quiet", "--pipe", "--wait", "--collect"),
    *("-p", "ProtectSystem=full", "-p", "ProtectHome=read-only", "-p", "PrivateTmp=true"),
    *("-p", "CacheDirectory=lanpi-backup"),
)
"""Prefix for a trial of a place: what lanpi-backup.service may not write to must not look writable."""
_NOT_FOUND = (126, 127, 203)


class Program:
    """The backup program on a Pi.

    Args:
        host: the Pi.
        progress: is told what happens.
        command: that starts the program there.
    """

    def __init__(self, host: Host, progress: Progress, command: Sequence[str] = (INSTALLED,)) -> None:
        self._host = host
        self._progress = progress
        self._command = tuple(command)

    def run(self, *arguments: str, quietly: bool = False, confined: bool = False) -> dict[str, Any]:
        """Run a verb to its end.

        Args:
            arguments: the verb and what belongs to it; no secrets.
            quietly: behind everything else that the Pi does.
            confined: with no more rights than the nightly backup has.

        Returns:
            The verb's result; empty where it has none.

        Raises:
            LanpiError: as the program reports it; BAD_INPUT where the program is not installed.
        """
        listener = _Listener(self._progress)
        command: Sequence[str] = (
            *(QUIETLY if quietly else CONFINED if confined else ()),
            *self._command,
            *arguments,
        )
        status = self._host.stream(command, listener.feed, root=True)
        if listener.error:
            raise self._failure(listener.error) from listener.crash
        if status in _NOT_FOUND and not listener.result:
            raise LanpiError(
                "backups are not set up on this Pi",
                host=self._host.name,
                next_step="Run `lanpi install` first",
                exit_code=ExitCode.BAD_INPUT,
            )
        if status != 0:
            raise LanpiError(
                f"{self._command[-1]} {arguments[0]} ended with exit status {status}",
                host=self._host.name,
                next_step="`lanpi logs` shows its messages",
            )
        return listener.result

    def _failure(self, error: dict[str, Any]) -> LanpiError:
        return LanpiError(
            error["what"],
            host=self._host.name,
            next_step=error.get("next_step", ""),
            exit_code=KINDS.get(error.get("kind", ""), ExitCode.FAILED),
        )


class Crash(Exception):
    """A bug in the program: its traceback on the Pi, for ``--debug``."""


class _Listener:
    """Takes the program's output as it comes."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rest = b""
        self._in_step = False
        self.result: dict[str, Any] = {}
        self.error: dict[str, Any] | None = None
        self.crash: Crash | None = None

    def feed(self, chunk: bytes) -> None:
        """Some bytes, wherever they begin and end."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"{"):
                self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        match event.pop("event"):
            case "step":
                self._progress.begin(event["step"])
                self._in_step = True
            case "progress":
                self._progress.advance(event["percent"])
            case "note":
                self._progress.note(event["text"])
            case "result":
                self.result = event
                if self._in_step:
                    self._progress.end()
                    self._in_step = False
            case "error":
                self.error = event
                if event.get("traceback"):
                    self.crash = Crash(f"on the Pi:\n{event['traceback']}")


def send_program(host: Host, progress: Progress) -> Program:
    """Put this lanpi's program onto a Pi that may have none."""
    files = {f"python/{name.replace('.', '/')}.py": text(name) for name in closure(ENTRY)}
    files["backup"] = (paths.templates() / "usr/lib/lanpi/backup.j2").read_text("utf-8")  # without any Jinja in it
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in files.items():
            data = content.encode()
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o700
            archive.addfile(entry, io.BytesIO(data))
    script = 'umask 077; mkdir -p "$1" && chmod 700 "$1" && tar -xf - -C "$1" --no-same-owner'
    host.run(["sh", "-c", script, "sh", SENT], stdin=packed.getvalue(), root=True)
    # Through the interpreter: an initramfs mounts /run with noexec.
    return Program(host, progress, ("/usr/bin/python3", f"{SENT}/backup"))
