"""What an app or the Pi's own page does with an invitation: XEP-0445 registration, then contacts and bookmarks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from xml.etree.ElementTree import Element

from lanpi.pi.xmpp.client import Client, Login, StanzaFailed
from lanpi.pi.xmpp.xml import attribute, text

T = TypeVar("T")
ROSTER = "{jabber:iq:roster}"
BOOKMARKS = "urn:xmpp:bookmarks:1"
PUBSUB = "{http://jabber.org/protocol/pubsub}"
MUC_USER = "{http://jabber.org/protocol/muc#user}"


@dataclass(frozen=True)
class Server:
    """How to reach a Pi."""

    address: str
    domain: str
    ca: str

    def login(self, name: str, password: str) -> Login:
        """For a client."""
        return Login(name, self.domain, password, host=self.address, ca=self.ca)


def register(server: Server, token: str, name: str, password: str) -> str:
    """Register, or set a new password; "" when it worked, else the server's condition and at which step."""

    async def go() -> str:
        client = Client(server.login(name, password))
        await client.secure()
        step = "token"
        try:
            await client.ask(f"<preauth xmlns='urn:xmpp:pars:0' token={attribute(token)}/>", "set")
            step = "account"
            await client.ask(
                f"<query xmlns='jabber:iq:register'><username>{text(name)}</username>"
                f"<password>{text(password)}</password></query>",
                "set",
            )
        except StanzaFailed as error:
            return f"{step}: {str(error).rpartition(' ')[2]}"
        finally:
            await client.close()
        return ""

    return asyncio.run(go())


def register_without_token(server: Server, name: str, password: str) -> str:
    """Ordinary in-band registration (XEP-0077); "" when the server allowed it."""

    async def go() -> str:
        client = Client(server.login(name, password))
        await client.secure()
        try:
            await client.ask(
                f"<query xmlns='jabber:iq:register'><username>{text(name)}</username>"
                f"<password>{text(password)}</password></query>",
                "set",
            )
        except StanzaFailed as error:
            return str(error)
        finally:
            await client.close()
        return ""

    return asyncio.run(go())


def contacts(server: Server, name: str, password: str) -> dict[str, str]:
    """The account's contacts: address -> subscription."""

    async def ask(client: Client) -> dict[str, str]:
        answer = await client.ask("<query xmlns='jabber:iq:roster'/>")
        return {item.get("jid", ""): item.get("subscription", "") for item in answer.iter(f"{ROSTER}item")}

    return _with(server, name, password, ask)


def bookmarks(server: Server, name: str, password: str) -> dict[str, str]:
    """The account's bookmarks (XEP-0402): room -> autojoin."""

    async def ask(client: Client) -> dict[str, str]:
        query = f"<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{BOOKMARKS}'/></pubsub>"
        try:
            answer = await client.ask(query)
        except StanzaFailed:
            return {}  # no node yet
        return {
            item.get("id", ""): conference.get("autojoin", "")
            for item in answer.iter(f"{PUBSUB}item")
            for conference in item.iter(f"{{{BOOKMARKS}}}conference")
        }

    return _with(server, name, password, ask)


def enter(server: Server, name: str, password: str, room: str) -> str:
    """Enter a room: one's affiliation in it, or the error's condition."""

    async def ask(client: Client) -> str:
        to = attribute(f"{room}/{name}")
        await client.send(f"<presence to={to}><x xmlns='http://jabber.org/protocol/muc'/></presence>")
        while True:
            stanza = await client.next()
            if stanza.tag.endswith("presence") and stanza.get("from", "").startswith(room):
                if stanza.get("type") == "error":
                    error = next(child for child in stanza if child.tag.endswith("}error"))
                    return error[0].tag.rpartition("}")[2]
                own = [status.get("code") for status in stanza.iter(f"{MUC_USER}status")]
                if "110" in own:
                    return _affiliation(stanza)

    return _with(server, name, password, ask)


def can_log_in(server: Server, name: str, password: str) -> bool:
    """Whether the password is right and the account may log in."""
    from lanpi.pi.xmpp.client import AuthFailed

    async def ask(client: Client) -> bool:
        return True

    try:
        return _with(server, name, password, ask)
    except AuthFailed:
        return False


def eventually(look: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 30) -> T:
    """Look until it is as wanted; the last look otherwise."""
    deadline = time.monotonic() + seconds
    found = look()
    while not wanted(found) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = look()
    return found


def _affiliation(stanza: Element) -> str:
    return next(item.get("affiliation", "") for item in stanza.iter(f"{MUC_USER}item"))


def _with(server: Server, name: str, password: str, work: Callable[[Client], Awaitable[T]]) -> T:
    async def go() -> T:
        async with Client(server.login(name, password)) as client:
            await client.available()
            return await work(client)

    return asyncio.run(go())
