"""Root over one channel: sudo authenticates once, then a small program runs each command.

A password check by sudo takes tenths of a second, and over SSH nothing caches it (sudo's tickets belong
to a terminal or a parent process). So where sudo asks, one ``sudo python3`` is started and kept for the
life of the connection; it runs what it is told, several commands at once, and ends when its input ends.

A message, either way: two big-endian 32-bit sizes, a header of the first size, a body of the second. The header is
a dictionary as Python writes it: bookworm's python3-minimal has no JSON, and installing the rest of it needs root.
"""

import ast
import struct
import threading
from typing import Any, Protocol

from lanpi.hosts.base import Completed

HEADER = struct.Struct("!II")

PROGRAM = r"""
import ast, struct, subprocess, sys, threading
HEADER = struct.Struct("!II")
lock, running, cancelled = threading.Lock(), {}, set()
def work(request, body):
    try:
        pipe = subprocess.PIPE
        process = subprocess.Popen(request["argv"], stdin=pipe, stdout=pipe, stderr=pipe)
        with lock:
            running[request["id"]] = process
            # Told to end before it had begun: messages are read faster than processes start.
            if request["id"] in cancelled:
                process.kill()
        out, err = process.communicate(body)
        status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    except FileNotFoundError as error:
        out, err, status = b"", str(error).encode(), 127
    with lock:
        running.pop(request["id"], None)
        cancelled.discard(request["id"])
    header = repr({"id": request["id"], "status": status, "out": len(out)}).encode()
    with lock:
        sys.stdout.buffer.write(HEADER.pack(len(header), len(out) + len(err)) + header + out + err)
        sys.stdout.buffer.flush()
def read(size):
    data = sys.stdin.buffer.read(size)
    if len(data) != size:
        raise EOFError
    return data
threads = []
try:
    while True:
        header_size, body_size = HEADER.unpack(read(HEADER.size))
        request, body = ast.literal_eval(read(header_size).decode()), read(body_size)
        if "cancel" in request:
            with lock:
                cancelled.add(request["cancel"])
                process = running.get(request["cancel"])
            if process is not None:
                process.kill()
            continue
        thread = threading.Thread(target=work, args=(request, body))
        thread.start()
except EOFError:
    pass
"""
"""What runs there. When the connection ends, commands under way are left to finish."""


class Pipe(Protocol):
    """Two ways to the program."""

    def send(self, data: bytes) -> None:
        """Send all of it; raises OSError when the other side is gone."""
        ...

    def receive(self) -> bytes:
        """Some bytes, b"" at the end."""
        ...

    def close(self) -> None:
        """End both ways."""
        ...


class Gone(Exception):
    """The program ended or its connection was lost."""


class _Call:
    def __init__(self) -> None:
        self.ready = threading.Event()
        self.header: dict[str, Any] | None = None
        self.body = b""


class Agent:
    """The near end.

    Args:
        pipe: to the program, which runs as root already.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._calls: dict[int, _Call] = {}
        self._next = 0
        self._gone = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def run(self, argv: list[str], stdin: bytes, timeout_seconds: float | None, shown: str) -> Completed:
        """Run a command as root.

        Raises:
            Gone: the connection was lost.
            TimeoutError: it took longer than ``timeout_seconds``; it is killed.
        """
        call = _Call()
        with self._lock:
            self._next += 1
            identity = self._next
            self._calls[identity] = call
            self._send({"id": identity, "argv": argv}, stdin)
        if not call.ready.wait(timeout_seconds):
            with self._lock:
                self._send({"cancel": identity}, b"")
            raise TimeoutError
        if call.header is None:
            raise Gone
        split = call.header["out"]
        return Completed(shown, call.header["status"], call.body[:split], call.body[split:])

    def close(self) -> None:
        """End the program."""
        self._pipe.close()

    def _send(self, request: dict[str, Any], body: bytes) -> None:
        header = repr(request).encode()
        try:
            if self._gone:
                raise Gone
            self._pipe.send(HEADER.pack(len(header), len(body)) + header + body)
        except OSError as error:
            raise Gone from error

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._pipe.receive()
            except OSError:
                data = b""
            if not data:
                break
            buffer += data
            while len(buffer) >= HEADER.size:
                header_size, body_size = HEADER.unpack_from(buffer)
                end = HEADER.size + header_size + body_size
                if len(buffer) < end:
                    break
                header = ast.literal_eval(buffer[HEADER.size : HEADER.size + header_size].decode())
                call = self._calls.pop(header["id"], None)
                if call:
                    call.header, call.body = header, buffer[HEADER.size + header_size : end]
                    call.ready.set()
                buffer = buffer[end:]
        with self._lock:
            self._gone = True
            for call in self._calls.values():
                call.ready.set()
