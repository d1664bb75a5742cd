"""Ansible's way to the Pi: the one connection that lanpi already holds.

Each call is one request over a Unix socket to the lanpi process that started this run
(lanpi/provision/bridge.py has the other end and the wire format). That process has the host
key pinned, is logged in and may become root, so Ansible needs none of it.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: lanpi
short_description: run tasks over the connection of the lanpi process that started the run
description:
  - Talks to the Unix socket named in the environment variable LANPI_BRIDGE.
author: lanpi
options: {}
"""

HEADER = struct.Struct("!II")


class Connection(ConnectionBase):
    """One request a call; nothing to open or close on the far side."""

    transport = "lanpi"
    has_pipelining = True
    # Root comes from lanpi's own connection, so Ansible's become is not used.
    become_methods = ()

    def _connect(self):
        self._connected = True
        return self

    def _ask(self, request, payload=b""):
        header = json.dumps(request).encode()
        with socket.socket(socket.AF_UNIX) as bridge:
            bridge.connect(os.environ["LANPI_BRIDGE"])
            bridge.sendall(HEADER.pack(len(header), len(payload)) + header + payload)
            with bridge.makefile("rb") as reader:
                header_size, payload_size = HEADER.unpack(reader.read(HEADER.size))
                reply = json.loads(reader.read(header_size))
                body = reader.read(payload_size)
        if reply.get("unreachable"):
            raise AnsibleConnectionFailure(reply["unreachable"])
        return reply, body

    def exec_command(self, cmd, in_data=None, sudoable=True):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        reply, body = self._ask({"do": "exec", "command": cmd}, in_data or b"")
        split = reply["stdout_size"]
        return reply["status"], body[:split], body[split:]

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        self._ask({"do": "put", "path": out_path}, Path(in_path).read_bytes())

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        Path(out_path).write_bytes(self._ask({"do": "get", "path": in_path})[1])

    def close(self):
        self._connected = False
