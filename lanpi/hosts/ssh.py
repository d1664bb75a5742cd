"""A machine over SSH as a Host: one connection, one channel for each command."""

import contextlib
import shlex
import socket
import threading
from collections.abc import Callable, Sequence

import paramiko

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import agent
from lanpi.hosts.base import Completed
from lanpi.hosts.root import Root
from lanpi.hosts.shell import failure, put_script, shown

KEEPALIVE_SECONDS = 15
_CHUNK = 65536


class SshHost:
    """Runs commands over an established connection; those as root through one program there, see
    :mod:`lanpi.hosts.agent`.

    Args:
        name: the target as the user named it.
        address: where its services are reached.
        client: connected and logged in.
        user: who is logged in.
        root: how to become root where that is not root itself.
        direct: whether ``address`` is reached without a jump host.
        behind: the connections to jump hosts under this one, closed with it.
    """

    def __init__(
        self,
        name: str,
        address: str,
        client: paramiko.SSHClient,
        user: str,
        root: Root,
        *,
        direct: bool,
        behind: Sequence[paramiko.SSHClient] = (),
    ) -> None:
        self.name = name
        self.address = address
        self.direct = direct
        self._client = client
        self._user = user
        self._root = root
        self._behind = behind
        self._agent: agent.Agent | None = None
        self._asked_for_root = False
        self._starting = threading.Lock()
        transport = client.get_transport()
        if transport:
            transport.set_keepalive(KEEPALIVE_SECONDS)

    @property
    def can_be_root(self) -> bool:
        """Logged in as root, or sudo lets this login."""
        if self._user == "root":
            return True
        self._start_agent()
        return self._agent is not None

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
        if root and self._user != "root":
            done = self._run_as_root(list(argv), stdin, timeout_seconds)
        else:
            done = self._run(argv, stdin, timeout_seconds)
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
        command, given = self._as(argv, stdin, root)
        channel = self._open(command)
        with contextlib.closing(channel):
            writer = threading.Thread(target=_feed, args=(channel, given), daemon=True)
            writer.start()
            try:
                while chunk := channel.recv(_CHUNK):
                    on_output(chunk)
                return _status(channel.recv_exit_status(), self.name)
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise self._lost() from error

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self.run(put_script(path, mode), stdin=data, root=root)

    def get(self, path: str, *, root: bool = False) -> bytes:
        """See :class:`lanpi.hosts.base.Host`."""
        # 44 stands for "not there"; cat's own failures are 1.
        script = '[ -e "$1" ] || exit 44; exec cat -- "$1"'
        done = self.run(["/bin/sh", "-c", script, "get", path], root=root, check=False)
        if done.exit_status == 44:
            raise FileNotFoundError(path)
        if done.exit_status != 0:
            raise failure(done, self.name)
        return done.stdout

    def close(self) -> None:
        """End the connection and those to jump hosts under it."""
        if self._agent:
            self._agent.close()
        self._client.close()
        for client in self._behind:
            client.close()

    def _as(self, argv: Sequence[str], stdin: bytes, root: bool) -> tuple[list[str], bytes]:
        if root and self._user != "root":
            self._start_agent()
            return self._root.wrap(argv, stdin, self._run, self.name)
        return list(argv), stdin

    def _start_agent(self) -> None:
        """The one program as root, where root is to be had: asked for once for the life of the connection."""
        with self._starting:
            if self._asked_for_root:
                return
            pipes: list[_ChannelPipe] = []

            def start(argv: Sequence[str]) -> _ChannelPipe:
                pipes.append(_ChannelPipe(self._open(argv, one_output=True), self.name))
                return pipes[-1]

            if self._root.enter(["python3", "-IS", "-c", agent.PROGRAM], start):
                self._agent = agent.Agent(pipes[-1])
            else:
                pipes[-1].close()
            self._asked_for_root = True

    def _run_as_root(self, argv: list[str], stdin: bytes, timeout_seconds: float | None) -> Completed:
        self._start_agent()
        if self._agent is None:
            self._root.wrap(argv, stdin, self._run, self.name)  # raises, and says why
            raise AssertionError(self._root)
        try:
            return self._agent.run(argv, stdin, timeout_seconds, shown(argv))
        except agent.Gone as error:
            transport = self._client.get_transport()
            if transport and transport.is_active():
                raise LanpiError(
                    "python3 could not be started as root",
                    host=self.name,
                    next_step="Install it on the Pi: sudo apt-get install python3",
                ) from error
            raise self._lost() from error
        except TimeoutError as error:
            raise LanpiError(f"{shown(argv)} took longer than {timeout_seconds:.0f} s", host=self.name) from error

    def _open(self, argv: Sequence[str], *, one_output: bool = False) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None or not transport.is_active():
            raise self._lost()
        try:
            channel = transport.open_session()
            channel.set_combine_stderr(one_output)
            channel.exec_command(_quoted(argv))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise self._lost() from error
        return channel

    def _run(self, argv: Sequence[str], stdin: bytes, timeout_seconds: float | None = None) -> Completed:
        channel = self._open(argv)
        with contextlib.closing(channel):
            channel.settimeout(timeout_seconds)
            errors: list[bytes] = []
            # Three ways at once: a command that writes while it reads must not wait for us.
            writer = threading.Thread(target=_feed, args=(channel, stdin), daemon=True)
            reader = threading.Thread(target=_drain_errors, args=(channel, errors), daemon=True)
            writer.start()
            reader.start()
            output: list[bytes] = []
            try:
                while chunk := channel.recv(_CHUNK):
                    output.append(chunk)
                reader.join()
                if timeout_seconds is not None and not channel.status_event.wait(timeout_seconds):
                    raise TimeoutError
                status = _status(channel.recv_exit_status(), self.name)
            except TimeoutError as error:
                raise LanpiError(f"{shown(argv)} took longer than {timeout_seconds:.0f} s", host=self.name) from error
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise self._lost() from error
        return Completed(shown(argv), status, b"".join(output), b"".join(errors))

    def _lost(self) -> LanpiError:
        return connection_lost(self.name)


class _ChannelPipe:
    """An SSH channel as the agent's pipe, and before that as the dialogue with sudo."""

    def __init__(self, channel: paramiko.Channel, host: str) -> None:
        self._channel = channel
        self._host = host

    def hear(self, seconds: float) -> bytes | None:
        self._channel.settimeout(seconds)
        try:
            return self._channel.recv(_CHUNK)
        except TimeoutError:
            return None
        finally:
            self._channel.settimeout(None)

    def say(self, data: bytes) -> None:
        try:
            self.send(data)
        except OSError as error:
            raise connection_lost(self._host) from error

    def exit_status(self) -> int:
        return _status(self._channel.recv_exit_status(), self._host)

    def send(self, data: bytes) -> None:
        self._channel.sendall(data)

    def receive(self) -> bytes:
        return self._channel.recv(_CHUNK)

    def close(self) -> None:
        self._channel.close()


def connection_lost(host: str) -> LanpiError:
    """The error for a connection that went away in the middle."""
    return LanpiError(
        "the connection was lost",
        host=host,
        next_step="Run the same command again: it continues where it stopped",
        exit_code=ExitCode.UNREACHABLE,
    )


def _quoted(argv: Sequence[str]) -> str:
    return shlex.join(argv)


def _status(status: int, host: str) -> int:
    # paramiko says -1 when the server sent no status: the process died of a signal, or the line went.
    if status == -1:
        raise connection_lost(host)
    return status


def _feed(channel: paramiko.Channel, data: bytes) -> None:
    # The command may end without reading all: what it did is told by its status, not by this.
    with contextlib.suppress(OSError, socket.timeout, paramiko.SSHException):
        channel.sendall(data)
        channel.shutdown_write()


def _drain_errors(channel: paramiko.Channel, errors: list[bytes]) -> None:
    with contextlib.suppress(OSError, socket.timeout):
        while chunk := channel.recv_stderr(_CHUNK):
            errors.append(chunk)
