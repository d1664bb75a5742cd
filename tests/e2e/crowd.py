"""Many people who write at once, to each other, in a room and with files, and remember what was acknowledged."""

import asyncio
import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field

from lanpi.pi.xmpp.client import Client, Login, tls_context

from .talk import join, say, upload, write_all

DIRECT_BATCH = 25
ROOM_BATCH = 5
FILE_BYTES = 3000
ROUNDS_PER_FILE = 5


@dataclass
class Acknowledged:
    """What the server has taken in.

    Attributes:
        direct: (sender, receiver, body) of messages.
        room: bodies of the room.
        files: SHA-256 by path on the server.
    """

    direct: list[tuple[str, str, str]] = field(default_factory=list)
    room: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Acknowledged":
        """As it is at this moment."""
        return Acknowledged(list(self.direct), list(self.room), dict(self.files))

    @property
    def messages(self) -> int:
        """Those to people and those to the room."""
        return len(self.direct) + len(self.room)


class Crowd(threading.Thread):
    """Everybody writes to the next one, to the room, and sends a file now and then, until it is over.

    Args:
        logins: at least two.
        room: address; they make it.
        address: of the Pi.
    """

    def __init__(self, logins: list[Login], room: str, address: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged = Acknowledged()
        self._over = threading.Event()
        self._logins, self._room, self._address = logins, room, address
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._everybody())
        except BaseException as error:  # told where the test waits
            self._failure = error

    def wait_for(self, messages: int, seconds: float) -> Acknowledged:
        """What is acknowledged when it is so many."""
        deadline = time.monotonic() + seconds
        while self.acknowledged.messages < messages:
            self._check()
            assert time.monotonic() < deadline, f"{self.acknowledged.messages} messages in {seconds} s"
            time.sleep(0.05)
        return self.acknowledged.copy()

    def stop(self) -> None:
        """No more batches."""
        self._over.set()
        self.join(60)
        self._check()

    def _check(self) -> None:
        if self._failure:
            raise self._failure

    async def _everybody(self) -> None:
        context = tls_context(self._logins[0].ca)
        clients = [Client(login, context) for login in self._logins]
        try:
            for client in clients:
                await client.connect()
                await client.available()
                await join(client, self._room)
            following = [*clients[1:], clients[0]]
            await asyncio.gather(*(self._write(*pair) for pair in zip(clients, following, strict=True)))
        finally:
            for client in clients:
                await client.close()

    async def _write(self, client: Client, to: Client) -> None:
        rounds, login = 0, client.login
        while not self._over.is_set():
            bodies = [f"{login.user} {rounds} {number} {secrets.token_hex(4)}" for number in range(DIRECT_BATCH)]
            await write_all(client, to.login.jid, bodies)
            self.acknowledged.direct += [(login.user, to.login.user, body) for body in bodies]
            bodies = [f"to all: {body}" for body in bodies[:ROOM_BATCH]]
            await say(client, self._room, *bodies)
            self.acknowledged.room += bodies
            if rounds % ROUNDS_PER_FILE == 0:
                data = secrets.token_bytes(FILE_BYTES)
                path = await upload(client, data, self._address, login.ca)
                self.acknowledged.files[path] = hashlib.sha256(data).hexdigest()
            rounds += 1


def lost(before: Acknowledged, archive: list[tuple[str, str]], room: str, files: dict[str, str]) -> list[str]:
    """What of the acknowledged is not there exactly once in each place that it belongs to.

    Args:
        before: what must be there.
        archive: (owner, body) of every archived message; a room's owner is its address.
        room: its address.
        files: SHA-256 of each path that is there.
    """
    counts: dict[tuple[str, str], int] = {}
    for owner, body in archive:
        counts[owner, body] = counts.get((owner, body), 0) + 1
    wanted = [(owner, body) for sender, receiver, body in before.direct for owner in (sender, receiver)]
    wanted += [(room, body) for body in before.room]
    wrong = [f"{body!r} is {counts.get((owner, body), 0)} times with {owner}" for owner, body in wanted
             if counts.get((owner, body)) != 1]  # fmt: skip
    return wrong + [f"{path} is not as sent" for path, digest in before.files.items() if files.get(path) != digest]
