"""What a neighbour with an address of its own does at a Pi's front door; run as a program in a network namespace.

Prints one JSON document.
"""

import argparse
import asyncio
import json
import resource
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass

from lanpi.pi.xmpp.client import Client, Login, XmppError, tls_context

from .websocket_peer import Refused, WebSocket


@dataclass(frozen=True)
class Crowd:
    """Connections that were opened and left half-way.

    Attributes:
        asked: how many were begun.
        held: how many the server took, at the most.
        open_at_end: how many were still open when time was up.
    """

    asked: int
    held: int
    open_at_end: int


def guess(address: str, domain: str, ca: str, name: str, times: int) -> list[str]:
    """Wrong passwords over the WebSocket; what the server said to each."""
    said = []
    for _ in range(times):
        try:
            with WebSocket(address, domain, ca) as connection:
                connection.login(name, "wrong")
            said.append("let in")
        except Refused as refused:
            said.append("banned" if "policy-violation" in str(refused) else "refused")
        except OSError as error:
            said.append(f"cut off: {error}")
    return said


def login(address: str, domain: str, ca: str, name: str, password: str, port: int) -> dict[str, object]:
    """A login, timed."""

    async def once() -> None:
        context = tls_context(ca)
        if port == 443:
            context.set_alpn_protocols(["xmpp-client"])
        await_login = Login(name, domain, password, address, port, ca, direct_tls=port != 5222)
        async with Client(await_login, context):
            pass

    began = time.monotonic()
    try:
        asyncio.run(once())
    except XmppError as error:
        return {"error": str(error), "seconds": time.monotonic() - began}
    return {"error": None, "seconds": time.monotonic() - began}


def crowd(address: str, port: int, asked: int, seconds: float) -> Crowd:
    """Open connections that say nothing, and hold what the server takes."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (asked + 200, asked + 200))
    waiting, taken, held = selectors.DefaultSelector(), selectors.DefaultSelector(), 0
    for _ in range(asked):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex((address, port))
        waiting.register(one, selectors.EVENT_WRITE)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key, _ in waiting.select(0.1) if waiting.get_map() else ():
            waiting.unregister(key.fileobj)
            assert isinstance(key.fileobj, socket.socket)
            if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                taken.register(key.fileobj, selectors.EVENT_READ)
            else:
                key.fileobj.close()
        for key, _ in taken.select(0.1) if taken.get_map() else ():
            assert isinstance(key.fileobj, socket.socket)
            try:
                over = key.fileobj.recv(4096) == b""
            except OSError:
                over = True
            if over:
                taken.unregister(key.fileobj)
                key.fileobj.close()
        held = max(held, len(taken.get_map()))
    return Crowd(asked, held, len(taken.get_map()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("guess", "login", "crowd"))
    parser.add_argument("address")
    parser.add_argument("--domain", default="")
    parser.add_argument("--ca", default="")
    parser.add_argument("--name", default="")
    parser.add_argument("--password-file", default="")
    parser.add_argument("--port", type=int, default=5222)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    match given.what:
        case "guess":
            found: object = guess(given.address, given.domain, given.ca, given.name, given.times)
        case "login":
            with open(given.password_file) as file:  # noqa: PTH123
                password = file.read().strip()
            found = login(given.address, given.domain, given.ca, given.name, password, given.port)
        case _:
            found = asdict(crowd(given.address, given.port, given.times, given.seconds))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
