"""One SSH connection to a machine, with those to jump hosts under it; when it is lost, another takes its place."""

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
from lanpi.hosts.shell import shown

KEEPALIVE_SECONDS = 15
_CHUNK = 65536


class Line:
    """A connection that is logged in.

    Args:
        host: the target as the user named it, for messages.
        client: connected and logged in.
        behind: the connections to jump hosts under this one, closed with it.
    """

    def __init__(self, host: str, client: paramiko.SSHClient, behind: Sequence[paramiko.SSHClient] = ()) -> None:
        self._host = host
        self._client = client
        self._behind = behind
        self._agent: agent.Agent | None = None
        self._asked_for_root = False
        self._starting = threading.Lock()
        transport = client.get_transport()
        if transport:
            transport.set_keepalive(KEEPALIVE_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether it has not been lost yet, as far as this machine knows."""
        transport = self._client.get_transport()
        return transport is not None and transport.is_active()

    def close(self) -> None:
        """End it, and those under it."""
        if self._agent:
            self._agent.close()
        self._client.close()
        for client in self._behind:
            client.close()

    def agent(self, root: Root) -> agent.Agent | None:
        """The one program as root, where root is to be had: asked for once for the life of the connection."""
        with self._starting:
            if not self._asked_for_root:
                pipe = root.enter(
                    ["python3", "-IS", "-c", agent.PROGRAM],
                    lambda argv: _ChannelPipe(self._open(argv, one_output=True), self._host),
                )
                self._agent = agent.Agent(pipe) if pipe else None
                self._asked_for_root = True
            return self._agent

    def run(self, argv: Sequence[str], stdin: bytes, timeout_seconds: float | None = None) -> Completed:
        """Run a command as it is, to its end.

        Raises:
            LanpiError: UNREACHABLE when the connection is lost, FAILED when it takes longer than ``timeout_seconds``.
        """
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
                status = _status(channel.recv_exit_status(), self._host)
            except TimeoutError as error:
                raise LanpiError(f"{shown(argv)} took longer than {timeout_seconds:.0f} s", host=self._host) from error
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise connection_lost(self._host) from error
        return Completed(shown(argv), status, b"".join(output), b"".join(errors))

    def stream(self, argv: Sequence[str], stdin: bytes, on_output: Callable[[bytes], None]) -> int:
        """Run a command as it is, hand over its output as it comes, return its exit status.

        Raises:
            LanpiError: UNREACHABLE when the connection is lost.
        """
        channel = self._open(argv)
        with contextlib.closing(channel):
            writer = threading.Thread(target=_feed, args=(channel, stdin), daemon=True)
            writer.start()
            try:
                while chunk := channel.recv(_CHUNK):
                    on_output(chunk)
                return _status(channel.recv_exit_status(), self._host)
            except (OSError, EOFError, paramiko.SSHException) as error:
                raise connection_lost(self._host) from error

    def _open(self, argv: Sequence[str], *, one_output: bool = False) -> paramiko.Channel:
        transport = self._client.get_transport()
        if transport is None or not transport.is_active():
            raise connection_lost(self._host)
        try:
            channel = transport.open_session()
            channel.set_combine_stderr(one_output)
            channel.exec_command(shlex.join(argv))
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise connection_lost(self._host) from error
        return channel


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
