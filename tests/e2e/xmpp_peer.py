"""An independent XMPP client for the tests: slixmpp, which shares no code with lanpi."""

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path

import slixmpp


@dataclass
class Seen:
    """What a session saw."""

    bodies: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    mechanism: str = ""
    tls: str = ""


class _Session(slixmpp.ClientXMPP):
    def __init__(self, jid: str, password: str, ca: Path) -> None:
        super().__init__(jid, password)
        self.register_plugin("xep_0313")
        self.enable_direct_tls = False  # port 5222 speaks STARTTLS
        self.enable_plaintext = False
        self.ca = ca
        self.seen = Seen()
        self.up: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self._started)
        self.add_event_handler("message", self._message)
        self.add_event_handler("failed_all_auth", lambda _: self._fail("login refused"))
        self.add_event_handler("connection_failed", lambda why: self._fail(f"no connection: {why}"))

    def get_ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.check_hostname = True
        return context

    def _fail(self, why: str) -> None:
        if not self.up.done():
            self.up.set_exception(ConnectionError(why))

    async def _started(self, _: object) -> None:
        self.send_presence()
        await self.get_roster()
        if not self.up.done():
            self.up.set_result(None)

    def _message(self, message: slixmpp.Message) -> None:
        self.seen.bodies.append(message["body"])


async def _exchange(address: str, ca: Path, sender: tuple[str, str], receiver: tuple[str, str], body: str) -> Seen:
    one, two = _Session(*sender, ca), _Session(*receiver, ca)
    try:
        for session in (one, two):
            session.connect(address, 5222)
        await asyncio.wait_for(asyncio.gather(one.up, two.up), 30)
        one.send_message(mto=receiver[0], mbody=body, mtype="chat")
        for _ in range(200):
            if body in two.seen.bodies:
                break
            await asyncio.sleep(0.05)
        async for found in two["xep_0313"].iterate(with_jid=slixmpp.JID(sender[0])):
            two.seen.archived.append(found["mam_result"]["forwarded"]["stanza"]["body"])
        return two.seen
    finally:
        for session in (one, two):
            await session.disconnect()


def exchange(address: str, ca: Path, sender: tuple[str, str], receiver: tuple[str, str], body: str) -> Seen:
    """Send a message between two accounts (address, password), over TLS verified against ``ca``.

    Returns:
        What the receiver saw, its archive of the sender included.
    """
    return asyncio.run(_exchange(address, ca, sender, receiver, body))
