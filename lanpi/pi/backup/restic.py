"""restic, called the same way everywhere: the key in a file, the repository in the environment, JSON back."""

import calendar
import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import quote

from lanpi.pi.backup.common import ENVIRONMENT, KEY, Heard, Problem
from lanpi.pi.backup.document import Lock, Snapshot
from lanpi.pi.backup.patience import Patience, refusal, silence

CACHE = "/var/cache/lanpi-backup"
# Exit statuses since restic 0.17 (restic.readthedocs.io, "Exit status codes"); 0.14 of bookworm only has the words.
NO_REPOSITORY, LOCKED, WRONG_KEY = 10, 11, 12
# What each storage says where nothing is: 0.14 asks "Is there a repository …?" too when it could not look at all.
NOTHING_THERE = re.compile(r"does not exist|no such file or directory|\(404\)")
WORDS = (
    (NO_REPOSITORY, "Is there a repository at the following location"),
    (LOCKED, "repository is already locked"),
    (WRONG_KEY, "wrong password or no key found"),
)
# RFC 3339, as Go writes it.
TIME = re.compile(r"(?P<local>[^.Z+]{19})(?P<fraction>(?:\.\d+)?)(?:Z|(?P<sign>[+-])(?P<hours>\d\d):(?P<minutes>\d\d))")
SECONDS = "%Y-%m-%dT%H:%M:%S"
INCOMPLETE = 3  # `backup` could not read everything
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY$")  # variables whose values nobody may read
SECRET_LENGTH = 6  # a shorter one may be part of any word
STATUS_BYTES = 16384  # a line of progress names the files that are being read
LOOK_SECONDS = 1.0  # how often to check whether restic still has a chance


Done = TypeVar("Done")
Ended = subprocess.CompletedProcess[str]


class ResticError(Problem):
    """restic failed; `status` is its exit status, `said` is everything it wrote."""

    def __init__(self, what: str, next_step: str, kind: str, status: int, said: str) -> None:
        super().__init__(what, next_step, kind)
        self.status, self.said = status, said


class Restic:
    """One repository.

    repository: as restic names it.
    shown: as the user named it.
    key: file with the repository's key.
    environment_file: KEY=VALUE lines with what the storage asks for, such as AWS_SECRET_ACCESS_KEY.
    """

    def __init__(
        self, repository: str, shown: str, key: Path | str = KEY, environment_file: Path | str = ENVIRONMENT
    ) -> None:
        self.shown = shown
        variables = _variables(Path(environment_file))
        self._environment = {
            "PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
            "RESTIC_REPOSITORY": _with_login(repository, variables),
            "RESTIC_PASSWORD_FILE": str(key),
            "RESTIC_CACHE_DIR": CACHE,
            # Less memory for more processor time: a Pi has little memory, and nobody waits for a backup.
            "GOGC": "20",
            # Otherwise --json reports the progress sixty times a second.
            "RESTIC_PROGRESS_FPS": "1",
            **variables,
        }
        self._secrets = [
            value for name, value in variables.items() if len(value) >= SECRET_LENGTH and SECRET.search(name)
        ]

    def run(self, *arguments: str, cwd: str = "/", heard: Heard | None = None) -> str:
        """Standard output of one restic command.

        heard: is given the percentage done, where the command reports it (with --json).
        """
        done = self._start(arguments, cwd, heard)
        if done.returncode != 0:
            raise self._failed(arguments[0], done)
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """The JSON document that a command prints."""
        return json.loads(self.run(*arguments, "--json"))

    def snapshots(self, *filters: str) -> list[Snapshot]:
        """The snapshots, each with its time in UTC: restic keeps it in the zone of the machine that made it."""
        return [entry | {"time": in_utc(entry["time"])} for entry in self.json("snapshots", "--no-lock", *filters)]

    def backup(self, folder: Path, host: str, tag: str, heard: Heard | None = None) -> dict[str, Any]:
        """Make a snapshot of a folder; restic's summary of it."""
        arguments = ("backup", "--json", "--ignore-ctime", "--host", host, "--tag", tag, ".")
        done = self._start(arguments, str(folder), heard)
        if done.returncode != 0:
            raise self._failed("backup", done)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return next(line for line in reversed(lines) if line.get("message_type") == "summary")

    def restore(self, snapshot: str, folder: Path, heard: Heard | None = None) -> None:
        """Write a snapshot's files into a folder. restic says how far it is since 0.16."""
        self.run("restore", "--no-lock", "--json", snapshot, "--target", str(folder), heard=heard)

    def exists(self) -> bool:
        """Whether there is a repository that this key opens."""
        try:
            self.run("cat", "config")
        except ResticError as error:
            if error.status == NO_REPOSITORY:
                return False
            raise
        return True

    def past_dead_locks(self, do: Callable[[], Done]) -> Done:
        """Do something; where a dead process's lock is in the way, remove the lock and try again."""
        try:
            return do()
        except ResticError as error:
            if error.status != LOCKED or not self.unlock():
                raise
        return do()

    def unlock(self) -> int:
        """Remove the locks that a power cut left, never one whose holder may be alive; returns their number.

        restic itself sees only that the process number is in use again, by whoever has it after a reboot.
        """
        before = self._locks()
        self.run("unlock")
        left = self._locks()
        boot = time.time() - float(Path("/proc/uptime").read_text().split()[0])
        if left and all(is_dead(lock, socket.gethostname(), boot) for lock in left):
            self.run("unlock", "--remove-all")
            left = []
        return len(before) - len(left)

    def _locks(self) -> list[Lock]:
        ids = self.run("list", "locks", "--no-lock").split()
        return [json.loads(self.run("cat", "lock", name, "--no-lock")) for name in ids]

    def _start(self, arguments: tuple[str, ...], cwd: str, heard: Heard | None = None) -> Ended:
        argv, patience = ["restic", *arguments], Patience(self.shown)
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            try:
                process = subprocess.Popen(
                    argv,
                    env=self._environment,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                )
            except FileNotFoundError as error:
                raise Problem("restic is not installed", "Run `lanpi install` again", "missing") from error
            with process:
                try:
                    _follow(process, output, errors, patience, heard)
                except BaseException:
                    process.kill()
                    raise
            return subprocess.CompletedProcess(argv, process.returncode, _written(output), _written(errors))

    def _failed(self, verb: str, done: Ended) -> ResticError:
        error = self._understood(verb, done)
        for secret in self._secrets:
            for written in (secret, quote(secret, safe="")):
                error.what, error.said = error.what.replace(written, "***"), error.said.replace(written, "***")
        return error

    def _understood(self, verb: str, done: Ended) -> ResticError:
        said = _plain(done.stderr + done.stdout)
        status = done.returncode
        lines = [line for line in said.splitlines() if line.strip()]
        fatal = [line.removeprefix("Fatal: ") for line in lines if line.startswith("Fatal")]
        # Check this before WORDS: restic asks "Is there a repository …?" whatever kept it from looking.
        why = (fatal or [""])[-1]
        if status == 1 and (problem := refusal(why, self.shown) or silence(why, self.shown)):
            return ResticError(problem.what, problem.next_step, problem.kind, status, said)
        if status == 1:
            status = next((number for number, words in WORDS if words in said), 1)
        if status == NO_REPOSITORY and not NOTHING_THERE.search(said):
            status = 1
        if status == NO_REPOSITORY:
            return ResticError(f"there is no repository at {self.shown}", "Check its name", "bad-input", status, said)
        if status == WRONG_KEY:
            return ResticError(
                f"the key does not open the repository at {self.shown}",
                "Use the key of the Pi that created it, from its recovery sheet",
                "refused",
                status,
                said,
            )
        if status == LOCKED:
            return ResticError(
                f"the repository at {self.shown} is locked by another restic process",
                "Wait until it has finished; if it is dead, run `lanpi backup unlock`",
                "blocked",
                status,
                said,
            )
        if "no space left on device" in done.stderr + done.stdout:
            return ResticError(
                f"the disk with the repository at {self.shown} is full",
                "Free some space there; earlier snapshots are not affected",
                "failed",
                status,
                said,
            )
        if verb == "backup" and status == INCOMPLETE:
            return ResticError("a file vanished while it was read", "Run the backup again", "failed", status, said)
        last = (fatal or lines or [f"exit status {status}"])[-1]
        return ResticError(f"restic {verb} failed at {self.shown}: {last}", "", "failed", status, said)


def _follow(
    process: subprocess.Popen[bytes], output: IO[bytes], errors: IO[bytes], patience: Patience, heard: Heard | None
) -> None:
    """Wait for restic to end; a Problem when it no longer has a chance."""
    while True:
        try:
            process.wait(LOOK_SECONDS)
            return
        except subprocess.TimeoutExpired:
            if problem := patience.ends(_written(errors), time.monotonic()):
                raise problem from None
            if heard and (percent := percent_done(_written(output, STATUS_BYTES))) is not None:
                heard(percent)


def percent_done(said: str) -> int | None:
    """The progress from restic's last complete line, None where there is none."""
    found = re.findall(r'^{"message_type":"status".*?"percent_done":([0-9.]+).*}$', said, re.MULTILINE)
    return min(100, int(float(found[-1]) * 100)) if found else None


def _written(file: IO[bytes], last_bytes: int | None = None) -> str:
    """All, or the last, of a file that another process may be writing; its place in it must not move."""
    size = os.fstat(file.fileno()).st_size
    start = max(0, size - last_bytes) if last_bytes else 0
    return os.pread(file.fileno(), size - start, start).decode(errors="replace")


def _plain(said: str) -> str:
    """restic's messages, without the progress; from 0.17 on --json puts the end's message into a document too."""
    lines = []
    for line in said.splitlines():
        if line.startswith("{"):
            with contextlib.suppress(ValueError, AttributeError):  # an incomplete line
                lines += json.loads(line).get("message", "").splitlines()
        else:
            lines.append(line)
    return "\n".join(lines)


def is_dead(lock: Lock, host: str, boot: float) -> bool:
    """Whether a lock's holder ran on this machine and is gone: from before the last boot, or no longer restic."""
    if lock["hostname"] != host:
        return False
    if _seconds(lock["time"]) < boot:
        return True
    try:
        return Path(f"/proc/{lock['pid']}/comm").read_text().strip() != "restic"
    except FileNotFoundError:
        return True


def in_utc(text: str) -> str:
    """One of restic's times, such as 2026-11-23T12:22:51.123456789+01:00, in UTC: 2026-11-23T11:22:51.123456789Z."""
    match = _parsed(text)
    return f"{time.strftime(SECONDS, time.gmtime(_seconds(text)))}{match['fraction']}Z"


def _parsed(text: str) -> re.Match[str]:
    match = TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time as restic writes it")
    return match


def _seconds(text: str) -> int:
    """Seconds since 1970 of one of restic's times, without the fraction."""
    match = _parsed(text)
    seconds = calendar.timegm(time.strptime(match["local"], SECONDS))
    if match["sign"] is None:
        return seconds
    east = int(match["hours"]) * 3600 + int(match["minutes"]) * 60
    return seconds - east if match["sign"] == "+" else seconds + east


def _with_login(repository: str, variables: dict[str, str]) -> str:
    """A REST server's address with its login in it: restic 0.14 has no other way. It stays in root's environment."""
    user, password = (variables.get(f"RESTIC_REST_{name}", "") for name in ("USERNAME", "PASSWORD"))
    match = re.fullmatch(r"(rest:https?://)([^/@]+(?:/.*)?)", repository)
    if not match or not user:
        return repository
    return f"{match[1]}{quote(user, safe='')}:{quote(password, safe='')}@{match[2]}"


def _variables(path: Path) -> dict[str, str]:
    """KEY=VALUE lines of a file, if it is there; values may be in quotes."""
    if not path.is_file():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and line[0] not in "#;")
    return {name.strip().removeprefix("export "): value.strip().strip("'\"") for name, value in pairs}
