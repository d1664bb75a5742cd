"""A machine over SSH as a Host: one connection at a time, made again when it was lost; one channel for each command."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import agent
from lanpi.hosts.base import Completed
from lanpi.hosts.line import Line, connection_lost
from lanpi.hosts.root import Root
from lanpi.hosts.shell import failure, put_script, shown

RECONNECT_SECONDS = 60.0
"""How long a file that was under way waits for the connection to come back."""
RETRY_SECONDS = 2.0
_ResultT = TypeVar("_ResultT")


class SshHost:
    """Runs commands over an established connection; those as root through one program there, see
    :mod:`lanpi.hosts.agent`.

    Args:
        name: the target as the user named it.
        address: where its services are reached.
        user: who is logged in.
        root: how to become root where that is not root itself.
        line: connected and logged in.
        connect: makes such a connection again, without questions.
        direct: whether ``address`` is reached without a jump host.
    """

    is_this_machine = False

    def __init__(
        self, name: str, address: str, user: str, root: Root, line: Line, connect: Callable[[], Line], *, direct: bool
    ) -> None:
        self.name = name
        self.address = address
        self.direct = direct
        self._user = user
        self._root = root
        self._line = line
        self._connect = connect
        self._connecting = threading.Lock()

    @property
    def can_be_root(self) -> bool:
        """Logged in as root, or sudo lets this login."""
        return self._user == "root" or self._reach().agent(self._root) is not None

    def require_root(self) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        if not self.can_be_root:
            self._root.wrap([], b"", self._line.run, self.name)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        root: bool = False,
        check: bool = True,
        timeout_seconds: float | None = None,
    ) -> Completed:
        """See :class:`lanpi.hosts.base.Host`."""
        line = self._reach()
        if root and self._user != "root":
            done = self._run_as_root(line, list(argv), stdin, timeout_seconds)
        else:
            done = line.run(argv, stdin, timeout_seconds)
        if check and done.exit_status != 0:
            raise failure(done, self.name)
        return done

    def stream(
        self,
        argv: Sequence[str],
        on_output: Callable[[bytes], None],
        *,
        stdin: bytes = b"",
        root: bool = False,
    ) -> int:
        """See :class:`lanpi.hosts.base.Host`."""
        line = self._reach()
        if root and self._user != "root":
            line.agent(self._root)
            argv, stdin = self._root.wrap(argv, stdin, line.run, self.name)
        return line.stream(argv, stdin, on_output)

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self._repeated(lambda: self.run(put_script(path, mode), stdin=data, root=root))

    def get(self, path: str, *, root: bool = False) -> bytes:
        """See :class:`lanpi.hosts.base.Host`."""
        # 44 stands for "not there"; cat's own failures are 1.
        script = '[ -e "$1" ] || exit 44; exec cat -- "$1"'
        done = self._repeated(lambda: self.run(["/bin/sh", "-c", script, "get", path], root=root, check=False))
        if done.exit_status == 44:
            raise FileNotFoundError(path)
        if done.exit_status != 0:
            raise failure(done, self.name)
        return done.stdout

    def disconnect(self) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self._line.close()

    def close(self) -> None:
        """End the connection and those to jump hosts under it."""
        with self._connecting:
            self._connect = self._closed
            self._line.close()

    def _closed(self) -> Line:
        raise connection_lost(self.name)

    def _reach(self) -> Line:
        """The connection, made again when it was lost.

        Raises:
            LanpiError: UNREACHABLE, REFUSED as a first connection does.
        """
        with self._connecting:
            if not self._line.alive:
                self._line.close()
                self._line = self._connect()
            return self._line

    def _repeated(self, work: Callable[[], _ResultT]) -> _ResultT:
        """Work that may be done twice: again when the connection was lost in it."""
        deadline: float | None = None
        while True:
            try:
                return work()
            except LanpiError as error:
                if error.exit_code is not ExitCode.UNREACHABLE:
                    raise
                deadline = deadline or time.monotonic() + RECONNECT_SECONDS
                if time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)

    def _run_as_root(self, line: Line, argv: list[str], stdin: bytes, timeout_seconds: float | None) -> Completed:
        helper = line.agent(self._root)
        if helper is None:
            self._root.wrap(argv, stdin, line.run, self.name)  # raises, and says why
            raise AssertionError(self._root)
        try:
            return helper.run(argv, stdin, timeout_seconds, shown(argv))
        except agent.Gone as error:
            if line.alive:
                raise LanpiError(
                    "python3 could not be started as root",
                    host=self.name,
                    next_step="Install it on the Pi: sudo apt-get install python3",
                ) from error
            raise connection_lost(self.name) from error
        except TimeoutError as error:
            raise LanpiError(f"{shown(argv)} took longer than {timeout_seconds:.0f} s", host=self.name) from error
