"""What people do with the server, for tests of what a backup keeps: rooms, files, contacts, bookmarks."""

import http.client
import secrets
import socket
import ssl
from xml.etree.ElementTree import Element

from lanpi.pi.xmpp.client import CLIENT, FORWARD, MAM, TIMEOUT_SECONDS, Client, XmppError
from lanpi.pi.xmpp.xml import attribute, text

PING = "<ping xmlns='urn:xmpp:ping'/>"
SLOT = "urn:xmpp:http:upload:0"
MUC = "http://jabber.org/protocol/muc"
PRIVATE = "<query xmlns='jabber:iq:private'>{}</query>"
VCARD = "<vCard xmlns='vcard-temp'>{}</vCard>"
BOOKMARKS = "<storage xmlns='storage:bookmarks'>{}</storage>"
PAGE = 250


async def upload(client, data, address, ca, filename="picture.jpg"):
    """Send a file as an app does; its path on the server."""
    domain = client.login.domain
    request = f"<request xmlns='{SLOT}' filename='{filename}' size='{len(data)}' content-type='image/jpeg'/>"
    slot = await client.ask(request, to=f"upload.{domain}")
    url = slot.find(f".//{{{SLOT}}}put").get("url")
    path = url.split(domain, 1)[1]
    with NamedHttps(domain, address, ca) as connection:
        connection.request("PUT", path, data, {"Content-Type": "image/jpeg", "Host": domain})
        assert connection.getresponse().status == 201
    return path


def download(domain, path, address, ca):
    """A file that somebody has sent."""
    with NamedHttps(domain, address, ca) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200, f"{path}: {answer.status}"
        return answer.read()


class NamedHttps(http.client.HTTPSConnection):
    """HTTPS to an address, verified as a name."""

    def __init__(self, domain, address, ca):
        super().__init__(domain, context=ssl.create_default_context(cafile=str(ca)))
        self._address = address

    def connect(self):
        raw = socket.create_connection((self._address, 443), timeout=30)
        self.sock = self._context.wrap_socket(raw, server_hostname=self.host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


async def join(client, room):
    """Enter a room, made with the server's own settings where there is none."""
    own = attribute(f"{room}/{client.login.user}")
    await client.send(f"<presence to={own}><x xmlns='{MUC}'><history maxstanzas='0'/></x></presence>")
    while True:
        stanza = await client.next()
        if stanza.tag == f"{CLIENT}presence" and stanza.get("from") == f"{room}/{client.login.user}":
            assert stanza.get("type") != "error", "not let into the room"
            break
    # A room that has just been made stays locked until its maker takes the default settings (XEP-0045 10.1.2).
    created = any(status.get("code") == "201" for status in stanza.iter(f"{{{MUC}#user}}status"))
    if created:
        owner = f"<query xmlns='{MUC}#owner'><x xmlns='jabber:x:data' type='submit'/></query>"
        await client.ask(owner, kind="set", to=room)


async def say(client, room, *bodies):
    """Say something in a room, and wait for the room's own copy of the last: then all are in the archive."""
    for body in bodies:
        identity = secrets.token_hex(8)
        await client.send(
            f"<message to={attribute(room)} type='groupchat' id='{identity}'><body>{text(body)}</body></message>"
        )
    while True:
        stanza = await client.next()
        if stanza.tag == f"{CLIENT}message" and stanza.findtext(f"{CLIENT}body") == bodies[-1]:
            return


async def whole_archive(client, of=None):
    """Bodies of all messages in one's own archive, or a room's (XEP-0313), oldest first, page by page."""
    bodies, after = [], ""
    while True:
        page, after, complete = await _page(client, of, after)
        bodies += page
        if complete:
            return bodies


async def _page(client, of, after):
    identity = secrets.token_hex(6)
    to = f" to={attribute(of)}" if of else ""
    behind = f"<after>{text(after)}</after>" if after else ""
    await client.send(
        f"<iq type='set' id='{identity}'{to}><query xmlns='{MAM}' queryid='{identity}'>"
        f"<set xmlns='http://jabber.org/protocol/rsm'><max>{PAGE}</max>{behind}</set></query></iq>"
    )
    bodies = []
    while True:
        stanza = await client.next(TIMEOUT_SECONDS)
        found = stanza.find(f"{{{MAM}}}result/{FORWARD}/{CLIENT}message/{CLIENT}body")
        if found is not None:
            bodies.append(found.text or "")
        elif stanza.tag == f"{CLIENT}iq" and stanza.get("id") == identity:
            fin = stanza.find(f"{{{MAM}}}fin")
            if fin is None:
                raise XmppError("the archive was refused")
            last = fin.findtext("{http://jabber.org/protocol/rsm}set/{http://jabber.org/protocol/rsm}last") or ""
            return bodies, last, fin.get("complete") == "true" or not last


async def settle_in(client, friend, room):
    """Make everything an account keeps beside messages: a contact, a card, a bookmark."""
    item = f"<item jid={attribute(friend)} name='Ben from next door'><group>Neighbours</group></item>"
    await client.ask(f"<query xmlns='jabber:iq:roster'>{item}</query>", kind="set")
    await client.ask(VCARD.format("<FN>Anna A.</FN>"), kind="set")
    await client.ask(PRIVATE.format(BOOKMARKS.format(f"<conference jid={attribute(room)} name='Us'/>")), kind="set")


async def belongings(client):
    """What settle_in made, as the server has it now: (contacts, names on the card, bookmarked rooms)."""
    roster = await client.ask("<query xmlns='jabber:iq:roster'/>")
    card = await client.ask(VCARD.format(""))
    marks = await client.ask(PRIVATE.format(BOOKMARKS.format("")))
    return (
        sorted((item.get("jid"), item.get("name")) for item in _all(roster, "{jabber:iq:roster}item")),
        [name.text for name in _all(card, "{vcard-temp}FN")],
        sorted(room.get("jid") for room in _all(marks, "{storage:bookmarks}conference")),
    )


def _all(element: Element, tag: str) -> list[Element]:
    return list(element.iter(tag))


async def write_all(client: Client, to: str, bodies: list[str]) -> None:
    """Send messages and wait until the server has taken in all of them."""
    for body in bodies:
        await client.message(to, body, secrets.token_hex(8))
    await client.ask(PING)
