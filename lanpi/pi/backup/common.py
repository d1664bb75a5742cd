"""What all parts of the backup share: paths on the Pi, expected failures, commands, reports."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from lanpi.pi.files import make_folder

MANIFEST = Path("/etc/lanpi/backup-manifest.json")
KEY = Path("/etc/lanpi/backup.key")
ENVIRONMENT = Path("/etc/lanpi/backup.env")
FOLDER = Path("/var/lib/lanpi/backup")
STAGE = FOLDER / "stage"
# For a copy that takes hours to fetch, by a move or an export; backups meanwhile have STAGE for themselves.
HANDED = FOLDER / "handed"
STATUS = FOLDER / "status.json"
RUN = Path("/run/lanpi/backup")
RESERVE_BYTES = 64 * 1024 * 1024  # a server whose card is full to the last byte cannot archive messages
MEGABYTE = 1024 * 1024

Heard = Callable[[int], None]
"""Is given the percentage done of a step."""


class Problem(Exception):
    """An expected failure.

    what: what failed, in plain words.
    next_step: what the user does next.
    kind: failed, bad-input, refused, blocked (nothing was changed), missing.
    """

    def __init__(self, what: str, next_step: str = "", kind: str = "failed") -> None:
        super().__init__(what)
        self.what, self.next_step, self.kind = what, next_step, kind


def command(
    argv: Sequence[str],
    *,
    stdin: str | None = None,
    cwd: str = "/",
    environment: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> str:
    """Run a program to its end; its standard output as text. A failure raises a Problem with its last message."""
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=seconds
        )
    except FileNotFoundError as error:
        raise Problem(f"{argv[0]} is not installed", "Run `lanpi install` again") from error
    except subprocess.TimeoutExpired as error:
        raise Problem(f"{argv[0]} took longer than {seconds} s") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        raise Problem(f"{' '.join(argv[:2])} failed: {said[-1]}")
    return done.stdout


def read_json(path: Path) -> Any:
    """A JSON file's content, None where there is none, or only half of one."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def require_space(path: Path, bytes_needed: int, what: str) -> None:
    """Refuse, before anything is written, what would not fit."""
    make_folder(path)
    free = shutil.disk_usage(path).free
    if free < bytes_needed + RESERVE_BYTES:
        raise Problem(
            f"{what} needs {megabytes(bytes_needed)} MB on {path} and {megabytes(RESERVE_BYTES)} MB to spare, "
            f"but only {megabytes(free)} MB are free",
            "Free some space there, then run the command again",
            "blocked",
        )


def megabytes(size: int) -> int:
    """Bytes in MB, rounded up."""
    return -(-size // MEGABYTE)


def empty(path: Path) -> None:
    """A folder that exists, is empty, and that only root can enter."""
    if path.exists():
        shutil.rmtree(path)
    make_folder(path.parent)
    path.mkdir(mode=0o700)


def now() -> str:
    """ISO 8601, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


class Reporter:
    """Reports what happens, one JSON document per line, to whoever follows; keeps a run's lines in a file."""

    def __init__(self, stream: TextIO, path: Path | None = None) -> None:
        self._stream = stream
        self._file: TextIO | None = None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a new file, not the old one emptied: a follower can tell them apart
            self._file = path.open("w", buffering=1)

    def say(self, event: str, **values: Any) -> None:
        """One event: step, note, result, error, end."""
        line = json.dumps({"event": event, **values}, sort_keys=True)
        if self._file:
            self._file.write(line + "\n")
            text = " ".join(str(value) for value in values.values() if isinstance(value, str))
            print(f"{event}: {text}", file=self._stream, flush=True)  # the journal's side
        else:
            print(line, file=self._stream, flush=True)

    def progress(self, percent: int) -> None:
        """How much of the step is done; not written to the journal."""
        line = json.dumps({"event": "progress", "percent": percent})
        print(line, file=self._file or self._stream, flush=True)

    def step(self, text: str) -> None:
        """A longer step begins."""
        self.say("step", step=text)
