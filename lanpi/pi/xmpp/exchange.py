"""The proof that a server works: two people log in, one writes, the other reads and finds it in the archive."""

import asyncio
import secrets
import time
from dataclasses import dataclass

from lanpi.pi.xmpp.client import Client, Login, XmppError

ARCHIVE_SECONDS = 10.0
"""How long a delivered message may take to be found in the archive."""


@dataclass(frozen=True)
class Exchange:
    """How long each part took, in seconds, and how both logged in."""

    login_seconds: float
    delivery_seconds: float
    archive_seconds: float
    mechanism: str


async def exchange(sender: Login, receiver: Login) -> Exchange:
    """Send one message from one account to the other and find it in the receiver's archive.

    Raises:
        XmppError: what failed.
    """
    began = time.monotonic()
    async with Client(sender) as from_client, Client(receiver) as to_client:
        await to_client.available()
        # An answer after the presence: the server has taken it in, so the message will find this session.
        await to_client.ask("<ping xmlns='urn:xmpp:ping'/>", to=receiver.domain)
        logged_in = time.monotonic()
        body = f"lanpi proof {secrets.token_hex(8)}"
        await from_client.message(receiver.jid, body, secrets.token_hex(8))
        await to_client.receive(body)
        delivered = time.monotonic()
        while body not in await to_client.archive(sender.jid):
            if time.monotonic() - delivered > ARCHIVE_SECONDS:
                raise XmppError("the message was delivered, but it is not in the archive")
            await asyncio.sleep(0.05)
        found = time.monotonic()
        return Exchange(
            login_seconds=(logged_in - began) / 2,
            delivery_seconds=delivered - logged_in,
            archive_seconds=found - delivered,
            mechanism=to_client.mechanism,
        )
