"""The near end of Ansible's connection: requests from the connection plugin, run on a Host.

Ansible runs in processes of its own (ansible-runner starts them); they reach the one
connection that lanpi holds through a Unix socket in a folder only this user can enter.

A message, either way: two big-endian 32-bit sizes, a JSON header of the first size, a body of
the second. playbooks/plugins/connection/lanpi.py is the other end.
"""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host

HEADER = struct.Struct("!II")


class Bridge:
    """Serves one Ansible run; remembers for the caller why the Pi could not be worked on any more."""

    def __init__(self, host: Host, path: Path) -> None:
        self._host = host
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self.lost: LanpiError | None = None

    def serve(self) -> None:
        """Answer requests until :meth:`close`; each connection carries one."""
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return  # closed: the run is over
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def close(self) -> None:
        """Stop accepting requests."""
        # shutdown wakes the accept() in the serving thread; close alone does not on Linux.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rb") as reader:
            header_size, body_size = HEADER.unpack(reader.read(HEADER.size))
            request = json.loads(reader.read(header_size))
            reply, body = self._perform(request, _read(reader, body_size))
            header = json.dumps(reply).encode()
            peer.sendall(HEADER.pack(len(header), len(body)) + header + body)

    def _perform(self, request: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            match request["do"]:
                case "exec":
                    done = self._host.run(["/bin/sh", "-c", request["command"]], stdin=body, root=True, check=False)
                    reply = {"status": done.exit_status, "stdout_size": len(done.stdout)}
                    return reply, done.stdout + done.stderr
                case "put":
                    self._host.put(request["path"], body, root=True)
                    return {}, b""
                case "get":
                    return {}, self._host.get(request["path"], root=True)
                case other:
                    return {"unreachable": f"unknown request {other!r}"}, b""
        except LanpiError as error:
            # Not what a command did, but that it cannot run: the connection, root, or the lease is gone.
            if error.exit_code is not ExitCode.FAILED:
                self.lost = self.lost or error
            return {"unreachable": str(error)}, b""
        except FileNotFoundError as error:
            return {"unreachable": f"no file {error.filename}"}, b""


def _read(reader: BinaryIO, size: int) -> bytes:
    data = reader.read(size)
    if len(data) != size:
        raise ConnectionError("the bridge's peer closed the connection in the middle of a request")
    return data


@contextmanager
def bridge(host: Host, folder: Path) -> Iterator[tuple[Bridge, Path]]:
    """Serve ``host`` on a socket in ``folder`` (0700) while the block runs.

    Yields:
        The bridge and the socket's path, which goes into LANPI_BRIDGE.
    """
    path = folder / "bridge.sock"
    served = Bridge(host, path)
    thread = threading.Thread(target=served.serve, daemon=True)
    thread.start()
    try:
        yield served, path
    finally:
        served.close()
        thread.join(timeout=5)
