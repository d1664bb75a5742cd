"""What is remembered of each virtual Pi, and where."""

import json
import os
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError

STATE = Path("/var/lib/lanpi-virtual")
CACHE = Path("/var/cache/lanpi/virtual")
KEY = STATE / "ssh" / "id_ed25519"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,14}")


@dataclass(frozen=True)
class VirtualPi:
    """A virtual Pi, running or not.

    Attributes:
        name: its host name, unique on this machine.
        model: a key of ``lanpi.virtual.models.MODELS``.
        suite: Debian's code name.
        address: IPv4 address, the same from ``up`` to ``down``.
        user: the login that is there from the start; its sudo asks for ``password``
            unless ``passwordless_sudo``.
        password: that login's password, random for each Pi. Never print it.
        key_path: private key that logs in as ``user``.
        host_key: its public SSH host key ("ssh-ed25519 AAAA…"), "" before the first boot.
        base: the image under it.
        card_mb: size of its card in MB; None: as large as this machine's disk.
        passwordless_sudo: whether sudo asks.
        memory_capped: whether the model's memory is enforced by this machine's kernel.
        supervisor_pid: the process that keeps it running, 0 when it was stopped.
        supervisor_start: that process's start time in clock ticks, against reused pids.
    """

    name: str
    model: str
    suite: str
    address: str
    user: str
    password: str
    key_path: str
    host_key: str
    base: str
    card_mb: int | None
    passwordless_sudo: bool
    memory_capped: bool
    supervisor_pid: int
    supervisor_start: int

    @property
    def port(self) -> int:
        """Where sshd listens."""
        return 22

    @property
    def folder(self) -> Path:
        """All that belongs to it on this machine."""
        return folder(self.name)

    @property
    def root(self) -> Path:
        """Its file system; mounted only while it exists for this process's mount namespace."""
        return self.folder / "root"

    @property
    def console(self) -> Path:
        """What it printed while it booted."""
        return self.folder / "console.log"

    @property
    def known_hosts(self) -> Path:
        """Its host key in OpenSSH's known_hosts format."""
        return self.folder / "known_hosts"

    @property
    def running(self) -> bool:
        """Whether its supervisor lives."""
        return self.supervisor_pid > 0 and start_ticks(self.supervisor_pid) == self.supervisor_start

    @property
    def leader_pid(self) -> int | None:
        """Its PID 1 as this machine sees it; None when it does not run (or reboots right now)."""
        return find_leader(self.supervisor_pid) if self.running else None


def folder(name: str) -> Path:
    """Where a Pi of that name is kept."""
    return STATE / "pis" / name


def check_name(name: str) -> str:
    """The name itself, where it can be a host name and part of an interface's name.

    Raises:
        LanpiError: BAD_INPUT when it can't.
    """
    if not _NAME.fullmatch(name) or name.endswith("-"):
        raise LanpiError(
            f"{name!r} is not a valid name for a virtual Pi",
            next_step="Use up to 15 lower-case letters, digits and hyphens, starting with a letter",
            exit_code=ExitCode.BAD_INPUT,
        )
    return name


def save(pi: VirtualPi) -> VirtualPi:
    """Write the record (0600: it holds a password), atomically; returns the Pi."""
    pi.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = pi.folder / "record.json"
    temporary = target.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        json.dump(asdict(pi), handle, indent=1)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(target)
    return pi


def update(pi: VirtualPi, **changes: object) -> VirtualPi:
    """The Pi with these fields changed, written down."""
    return save(replace(pi, **changes))  # type: ignore[arg-type]


def load(name: str) -> VirtualPi | None:
    """The Pi of that name, or None when there is none.

    Raises:
        LanpiError: BAD_INPUT when it cannot be a name, MISSING without root's rights.
    """
    try:
        return VirtualPi(**json.loads((folder(check_name(name)) / "record.json").read_text()))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise LanpiError(
            "only root can use virtual Pis",
            host=f"virtual:{name}",
            next_step="Run the command with sudo",
            exit_code=ExitCode.MISSING,
        ) from error


def load_all() -> list[VirtualPi]:
    """All there are, by name."""
    found = (load(path.parent.name) for path in sorted((STATE / "pis").glob("*/record.json")))
    return [pi for pi in found if pi is not None]


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot (proc(5), stat field 22); 0: no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def children() -> dict[int, list[int]]:
    """Parent -> its child processes, of the whole machine."""
    tree: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            tree.setdefault(parent, []).append(int(entry.name))
    return tree


def find_leader(ancestor: int) -> int | None:
    """The process under ``ancestor`` that is PID 1 of a PID namespace of its own."""
    tree = children()
    queue = list(tree.get(ancestor, []))
    while queue:
        pid = queue.pop(0)
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        match = re.search(r"^NSpid:\s+(.+)$", status, re.MULTILINE)
        if match and len(match[1].split()) > 1 and match[1].split()[-1] == "1":
            return pid
        queue += tree.get(pid, [])
    return None


def get(name: str) -> VirtualPi:
    """The virtual Pi of that name.

    Raises:
        LanpiError: BAD_INPUT when there is none, or the name cannot be one.
    """
    pi = load(name)
    if pi is None:
        raise LanpiError(
            f"there is no virtual Pi named {name!r}",
            next_step=f"Run: lanpi virtual up {name}",
            exit_code=ExitCode.BAD_INPUT,
        )
    return pi
