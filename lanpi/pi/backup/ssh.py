"""The way to another machine by SSH: this Pi's key, that machine's host key, and whether it lets this Pi in.

restic reaches an sftp: place through ssh as root does, and says no more than "unexpected EOF" when that fails.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lanpi.pi.backup.common import Problem, command
from lanpi.pi.files import write_whole

FOLDER = Path("/root/.ssh")
KEY = FOLDER / "id_ed25519"
KNOWN_HOSTS = FOLDER / "known_hosts"
CONNECT_SECONDS = 10
"""A machine of the house answers in milliseconds; one across the world, asleep behind a slow line, in a few seconds."""
SECONDS = 60.0
# restic.readthedocs.io, "Preparing a new repository", SFTP: an address as scp has it, or as a URL.
_URL = re.compile(r"sftp://(?:(?P<user>[^@/]+)@)?(?P<host>\[[^\]]+\]|[^:/@]+)(?::(?P<port>\d+))?/.*")
_SCP = re.compile(r"sftp:(?!//)(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]]+\]|[^:/@]+):.+")
# What OpenSSH writes on standard error (sshconnect.c, sshconnect2.c); its exit status is 255 for all of it.
_CHANGED = re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed", re.IGNORECASE)
_UNKNOWN = re.compile(r"Host key verification failed|No \S+ host key is known")
_CLOSED = re.compile(r"Permission denied \(|Too many authentication failures|This account is currently not available")
_NOISE = ("Connection closed", "Couldn't read packet", "Warning: Permanently added", "debug")


@dataclass(frozen=True)
class Address:
    """Where an sftp: place is.

    Attributes:
        user: empty for ssh's own choice.
        host: as the user wrote it; a name of root's ssh_config counts.
        port: 0 for ssh's own choice.
    """

    user: str
    host: str
    port: int

    @property
    def login(self) -> str:
        """For ssh's command line."""
        return f"{self.user}@{self.host}" if self.user else self.host

    @property
    def port_option(self) -> tuple[str, ...]:
        """For ssh's command line."""
        return ("-o", f"Port={self.port}") if self.port else ()


@dataclass(frozen=True)
class Answer:
    """What a machine says to this Pi.

    Attributes:
        state: open, closed (it does not know this Pi's key), unknown (its host key is not pinned), changed (it shows
            another one), silent.
        why: ssh's own words; empty when open.
    """

    state: str
    why: str = ""


def address(location: str) -> Address | None:
    """Where an sftp: place is; None for another kind of place, or one that cannot be understood."""
    match = _URL.fullmatch(location) or _SCP.fullmatch(location)
    if not match:
        return None
    found = match.groupdict()
    return Address(found["user"] or "", found["host"].strip("[]"), int(found.get("port") or 0))


def understand(location: str) -> Address:
    """Where an sftp: place is.

    Raises:
        Problem: bad-input, with how to write it.
    """
    machine = address(location)
    if machine is None:
        raise Problem(
            f"{location} is not an SFTP address",
            "Write it as sftp:USER@HOST:/FOLDER or sftp://USER@HOST:PORT//FOLDER",
            "bad-input",
        )
    return machine


def ask(machine: Address) -> Answer:
    """Log in as restic will, and look whether there is SFTP."""
    argv = ["sftp", *_options(), *machine.port_option, "-b", "-", machine.login]
    try:
        done = subprocess.run(
            argv, input="pwd\n", capture_output=True, text=True, check=False, timeout=SECONDS, env=_environment()
        )
    except FileNotFoundError as error:
        raise Problem("sftp is not installed on the Pi", "Run on the Pi: sudo apt install openssh-client") from error
    except subprocess.TimeoutExpired:
        return Answer("silent", f"no answer within {SECONDS:.0f} s")
    return Answer("open") if done.returncode == 0 else understood(done.stderr)


def understood(said: str) -> Answer:
    """What ssh's words on standard error mean."""
    lines = [line.strip(" @") for line in said.splitlines() if line.strip(" @")]
    for state, pattern in (("changed", _CHANGED), ("unknown", _UNKNOWN), ("closed", _CLOSED)):
        found = next((line for line in lines if pattern.search(line)), "")
        if found:
            return Answer(state, found)
    telling = [line for line in lines if not line.startswith(_NOISE)] or lines or ["it closed the connection"]
    return Answer("silent", telling[-1])


def public_key() -> str:
    """The public key of the Pi's root; the pair is made where there is none."""
    public = KEY.with_name(f"{KEY.name}.pub")
    if not KEY.exists():
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        comment = f"lanpi@{os.uname().nodename}"
        command(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(KEY)])
    elif not public.exists():
        write_whole(public, command(["ssh-keygen", "-y", "-f", str(KEY)]), mode=0o644)
    return public.read_text().strip()


def host_key(machine: Address) -> str:
    """The host key that the machine shows now, as a line for known_hosts; "" where it shows none.

    Nothing proves that it is the machine's own: its owner compares the fingerprint.
    """
    host, port = _resolved(machine)
    found = subprocess.run(
        ["ssh-keyscan", "-T", str(CONNECT_SECONDS), "-p", str(port), host],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    ).stdout
    lines = [line for line in found.splitlines() if line and not line.startswith("#")]
    # One is enough, and one is what people compare: ssh asks for the kind that it knows.
    return next((line for line in lines if " ssh-ed25519 " in line), (lines or [""])[0])


def fingerprint(line: str) -> str:
    """A line of known_hosts as people compare it: SHA256:… (ED25519).

    Raises:
        Problem: it is no such line.
    """
    words = command(["ssh-keygen", "-lf", "-"], stdin=line + "\n").split()
    return f"{words[1]} {words[-1]}"


def pin(line: str) -> None:
    """Trust a host key from now on; the line is one that :func:`host_key` gave."""
    fingerprint(line)
    known = KNOWN_HOSTS.read_text() if KNOWN_HOSTS.exists() else ""
    if line not in known.splitlines():
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(KNOWN_HOSTS, f"{known}{'' if known.endswith(chr(10)) or not known else chr(10)}{line}\n")


def require_open(location: str) -> None:
    """Refuse an sftp: place that does not let this Pi in, with what to do about it.

    Raises:
        Problem: refused (host key, login), failed (no answer).
    """
    machine = understand(location)
    answer = ask(machine)
    if answer.state == "open":
        return
    how = f"lanpi backup add {location}"
    match answer.state:
        case "unknown":
            raise Problem(
                f"the host key of {machine.host} is not known to this Pi", f"Check and pin it: {how}", "refused"
            )
        case "changed":
            raise Problem(
                f"{machine.host} shows a different host key from the key that this Pi knows",
                f"If it was reinstalled, run on the Pi: sudo ssh-keygen -R {machine.host}; then: {how}",
                "refused",
            )
        case "closed":
            raise Problem(
                f"{machine.login} does not let this Pi in: {answer.why}", f"Let the Pi's key in: {how}", "refused"
            )
    raise Problem(f"{machine.host} does not answer: {answer.why}", "Is it switched on, and is its address right?")


def _resolved(machine: Address) -> tuple[str, int]:
    """Host and port after root's ssh_config."""
    said = command(["ssh", "-G", *machine.port_option, machine.login])
    found = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    return found["hostname"], int(found["port"])


def _options() -> tuple[str, ...]:
    return (
        *("-o", "BatchMode=yes"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", f"ConnectTimeout={CONNECT_SECONDS}"),
    )


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), "HOME": "/root", "LC_ALL": "C.UTF-8"}
