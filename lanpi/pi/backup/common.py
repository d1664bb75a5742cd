"""What all parts of the backup share: paths on the Pi, expected failures, commands, atomic writes."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

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


class Problem(Exception):
    """An expected failure.

    what: what failed, in plain words.
    next_step: what the user does next.
    kind: failed, bad-input, refused, blocked (nothing was changed), missing.
    """

    def __init__(self, what, next_step="", kind="failed"):
        super().__init__(what)
        self.what, self.next_step, self.kind = what, next_step, kind


def command(argv, *, stdin=None, cwd="/", environment=None, seconds=None):
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


def write_whole(path, text, mode=0o600):
    """Replace a file so that a power cut leaves either the old or the new one."""
    make_folder(path.parent)
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(path):
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path):
    """A JSON file's content, None where there is none, or only half of one."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def require_space(path, bytes_needed, what):
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


def megabytes(size):
    """Bytes in MB, rounded up."""
    return -(-size // MEGABYTE)


def make_folder(path):
    """A folder that everybody may enter, like any missing parent folders, whatever the umask."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o755)


def empty(path):
    """A folder that exists, is empty, and that only root can enter."""
    if path.exists():
        shutil.rmtree(path)
    make_folder(path.parent)
    path.mkdir(mode=0o700)


def now():
    """ISO 8601, UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


class Reporter:
    """Reports what happens, one JSON document per line, to whoever follows; keeps a run's lines in a file."""

    def __init__(self, stream, path=None):
        self._stream, self._file = stream, None
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # a new file, not the old one emptied: a follower can tell them apart
            self._file = path.open("w", buffering=1)

    def say(self, event, **values):
        """One event: step, note, result, error, end."""
        line = json.dumps({"event": event, **values}, sort_keys=True)
        if self._file:
            self._file.write(line + "\n")
            text = " ".join(str(value) for value in values.values() if isinstance(value, str))
            print(f"{event}: {text}", file=self._stream, flush=True)  # the journal's side
        else:
            print(line, file=self._stream, flush=True)

    def progress(self, percent):
        """How much of the step is done; not written to the journal."""
        line = json.dumps({"event": "progress", "percent": percent})
        print(line, file=self._file or self._stream, flush=True)

    def step(self, text):
        """A longer step begins."""
        self.say("step", step=text)
