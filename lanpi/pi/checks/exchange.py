"""What a check does: log in, send, receive, read the archive, open the WebSocket, fetch the web page.

It writes nothing to the card, except one archived message a day: it announces no presence, for ejabberd writes
down when somebody who was present leaves, and its message asks not to be stored (XEP-0334).
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any

from lanpi.pi.checks import websocket
from lanpi.pi.xmpp.client import Client, Login, XmppError, tls_context

ADDRESS, XMPP_PORT, WEB_PORT = "127.0.0.1", 5222, 443
_NO_STORE = "<no-store xmlns='urn:xmpp:hints'/>"
ARCHIVE_SECONDS = 10.0


class NotArchived(XmppError):
    """The message that was archived by an earlier check is gone, as after a restore of an older copy."""


async def talk(logins: tuple[Login, Login], archived: str | None, note: Callable[[str, float], None]) -> str | None:
    """A message from one account to the other, and the archive.

    Args:
        logins: of the two.
        archived: text of the message that is in the archive; None to put one there.
        note: told how long each part took, in seconds, as soon as it is known.

    Returns:
        The text of the message in the archive.

    Raises:
        NotArchived: the archive answers, without that message.
        XmppError: what else did not work.
    """
    began = time.monotonic()
    async with Client(logins[0]) as sender, Client(logins[1]) as receiver:
        connected = time.monotonic()
        note("login", (connected - began) / 2)
        body = f"check {secrets.token_hex(8)}"
        keep = archived is None
        # To the full address: it is delivered to a session that announced no presence, too.
        await sender.send(
            f"<message to='{receiver.jid}' type='chat' id='{body[6:]}'><body>{body}</body>"
            f"{'' if keep else _NO_STORE}</message>"
        )
        await receiver.receive(body)
        delivered = time.monotonic()
        note("delivery", delivered - connected)
        wanted = body if archived is None else archived
        while wanted not in await receiver.archive(logins[0].jid):
            if not keep:
                raise NotArchived("an archived message is no longer in the archive")
            if time.monotonic() - delivered > ARCHIVE_SECONDS:
                raise XmppError("a message was delivered but is not in the archive")
            await asyncio.sleep(0.05)
        note("archive", time.monotonic() - delivered)
        return wanted


def look(logins: tuple[Login, Login], archived: str | None) -> tuple[dict[str, Any], str | None]:
    """All of a check.

    Returns:
        Fields of a sample: ``checks``, ``passed``, ``error`` and the time of each part that was reached; and the
        text of the message in the archive, None when that is not certain.

    Raises:
        NotArchived: the archive answers, without that message.
    """
    found: dict[str, Any] = {"checks": 1, "passed": 0}

    def note(part: str, seconds: float) -> None:
        found[part] = round(seconds, 4)

    try:
        kept = asyncio.run(talk(logins, archived, note))
    except NotArchived:
        raise
    except XmppError as error:
        return found | {"error": str(error)}, None
    context, domain = tls_context(logins[0].ca), logins[0].domain
    try:
        began = time.monotonic()
        websocket.open_stream(ADDRESS, WEB_PORT, domain, context)
        note("websocket", time.monotonic() - began)
        began = time.monotonic()
        if websocket.fetch(ADDRESS, WEB_PORT, domain, context):
            note("web", time.monotonic() - began)
    except websocket.WebError as error:
        return found | {"error": str(error)}, kept
    return found | {"passed": 1}, kept
