"""A small XMPP client at the level of stanzas (RFC 6120, 6121), standard library only.

For proofs and load, not for people: it logs in with TLS verified, sends and receives messages and asks
questions. It also runs on the Pi itself, where nothing but python3 is installed.
"""

import asyncio
import base64
import contextlib
import itertools
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from lanpi.pi.xmpp import scram
from lanpi.pi.xmpp.xml import StreamParser, XmlError, attribute, text

CLIENT = "{jabber:client}"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
STREAMS = "{http://etherx.jabber.org/streams}"
MAM = "urn:xmpp:mam:2"
FORWARD = "{urn:xmpp:forward:0}forwarded"
TIMEOUT_SECONDS = 20.0
_READ_BYTES = 16384


class XmppError(Exception):
    """Something failed between this client and the server; the text says what."""


class ConnectFailed(XmppError):
    """No TCP connection."""


class TlsFailed(XmppError):
    """No TLS, or a certificate that is not valid."""


class AuthFailed(XmppError):
    """The server refused the login; ``condition`` is RFC 6120's, such as not-authorized."""

    def __init__(self, condition: str) -> None:
        super().__init__(f"the server refused the login: {condition}")
        self.condition = condition


class StreamFailed(XmppError):
    """The stream ended or broke the protocol."""


class StanzaFailed(XmppError):
    """The server answered a stanza with an error."""


class TimedOut(XmppError):
    """Nothing came in time."""


@dataclass(frozen=True)
class Login:
    """Whom to log in as, and where.

    Attributes:
        user, domain, password: of the account.
        host, port: where to connect; None takes the domain.
        ca: PEM file to verify against; None takes the system's authorities.
        direct_tls: TLS from the first byte (XEP-0368) instead of STARTTLS.
        mechanism: a SASL mechanism to insist on; None takes the best that both know.
    """

    user: str
    domain: str
    password: str
    host: str | None = None
    port: int = 5222
    ca: str | None = None
    direct_tls: bool = False
    mechanism: str | None = None

    @property
    def jid(self) -> str:
        """The bare address."""
        return f"{self.user}@{self.domain}"


def tls_context(ca: str | None) -> ssl.SSLContext:
    """TLS 1.2 or later, the certificate verified against one authority or the system's."""
    if ca is not None and not Path(ca).is_file():
        raise TlsFailed(f"there is no CA certificate at {ca}")
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # What is in ``ca`` is trusted as it is, also when it is no root (Python 3.13's own default).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


class Client:
    """One session.

    Args:
        login: whom and where.
        context: TLS settings, to share between many clients; made from ``login.ca`` when None.
    """

    def __init__(self, login: Login, context: ssl.SSLContext | None = None) -> None:
        self.login = login
        self._context = context or tls_context(login.ca)
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._parser = StreamParser()
        self._waiting: list[Element] = []
        self._ids = itertools.count(1)
        self.jid = ""
        self.mechanism = ""

    async def connect(self) -> None:
        """Connect, secure, log in, bind a resource.

        Raises:
            XmppError: one of its kinds, by what failed.
        """
        await self._authenticate(await self.secure())
        await self._open()
        answer = await self.ask(f"<bind xmlns='{BIND}'/>", kind="set")
        self.jid = answer.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") or self.login.jid

    async def secure(self) -> Element:
        """Connect and begin TLS, without logging in; returns what the server offers then.

        Raises:
            ConnectFailed, TlsFailed, StreamFailed, TimedOut: by what failed.
        """
        login = self.login
        where = f"{login.host or login.domain}:{login.port}"
        direct = {"ssl": self._context, "server_hostname": login.domain} if login.direct_tls else {}
        try:
            self._reader, self._writer = await asyncio.wait_for(
                asyncio.open_connection(login.host or login.domain, login.port, **direct),  # type: ignore[arg-type]
                TIMEOUT_SECONDS,
            )
        except ssl.SSLError as error:
            raise TlsFailed(_tls_reason(error)) from error
        except (OSError, TimeoutError) as error:
            raise ConnectFailed(f"no connection to {where}: {error or 'no answer'}") from error
        features = await self._open()
        return features if login.direct_tls else await self._start_tls(features)

    async def close(self) -> None:
        """End the stream and the connection, without waiting for the other side."""
        with contextlib.suppress(OSError, ssl.SSLError):
            self._writer.write(b"</stream:stream>")
            self._writer.close()
            await asyncio.wait_for(self._writer.wait_closed(), 1.0)

    def abort(self) -> None:
        """Drop the connection at once, whatever state it is in."""
        if self._writer is not None:
            self._writer.transport.abort()

    async def __aenter__(self) -> "Client":
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(TimeoutError):
            await self.close()

    async def available(self) -> None:
        """Announce presence; messages to the bare address come here from now on."""
        await self.send("<presence/>")

    async def message(self, to: str, body: str, stanza_id: str) -> None:
        """Send a chat message."""
        await self.send(
            f"<message to={attribute(to)} type='chat' id={attribute(stanza_id)}><body>{text(body)}</body></message>"
        )

    async def receive(self, body: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Element:
        """Wait for the message with this body.

        Raises:
            TimedOut: it did not come.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            stanza = await self.next(deadline - time.monotonic())
            if stanza.tag == f"{CLIENT}message" and stanza.findtext(f"{CLIENT}body") == body:
                return stanza

    async def archive(self, with_jid: str, most: int = 20) -> list[str]:
        """Bodies of the newest messages with somebody in one's own archive (XEP-0313), oldest first."""
        identity = f"q{next(self._ids)}"
        await self.send(
            f"<iq type='set' id='{identity}'><query xmlns='{MAM}' queryid='{identity}'>"
            "<x xmlns='jabber:x:data' type='submit'>"
            f"<field var='FORM_TYPE'><value>{MAM}</value></field>"
            f"<field var='with'><value>{text(with_jid)}</value></field></x>"
            f"<set xmlns='http://jabber.org/protocol/rsm'><max>{most}</max><before/></set></query></iq>"
        )
        bodies: list[str] = []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            stanza = await self.next(deadline - time.monotonic())
            found = stanza.find(f"{{{MAM}}}result/{FORWARD}/{CLIENT}message/{CLIENT}body")
            if found is not None:
                bodies.append(found.text or "")
            elif stanza.tag == f"{CLIENT}iq" and stanza.get("id") == identity:
                _refused(stanza)
                return bodies

    async def ask(self, payload: str, kind: str = "get", to: str | None = None) -> Element:
        """Send an iq and wait for its answer.

        Raises:
            StanzaFailed: the answer is an error.
        """
        identity = f"i{next(self._ids)}"
        address = f" to={attribute(to)}" if to else ""
        await self.send(f"<iq type='{kind}' id='{identity}'{address}>{payload}</iq>")
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            stanza = await self.next(deadline - time.monotonic())
            if stanza.tag == f"{CLIENT}iq" and stanza.get("id") == identity:
                _refused(stanza)
                return stanza

    async def send(self, xml: str) -> None:
        """Send XML as it is.

        Raises:
            StreamFailed: the connection is gone.
        """
        try:
            self._writer.write(xml.encode())
            await self._writer.drain()
        except OSError as error:
            raise StreamFailed(f"the connection was lost: {error}") from error

    async def next(self, timeout_seconds: float = TIMEOUT_SECONDS) -> Element:
        """The next element of the stream.

        Raises:
            TimedOut: none came in time.
            StreamFailed: the stream ended, or with an error.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self._waiting:
            left = deadline - time.monotonic()
            try:
                data = await asyncio.wait_for(self._reader.read(_READ_BYTES), max(left, 0.0))
            except TimeoutError as error:
                raise TimedOut("the server did not answer in time") from error
            except OSError as error:
                raise StreamFailed(f"the connection was lost: {error}") from error
            try:
                self._waiting = self._parser.feed(data) if data else []
            except XmlError as error:
                raise StreamFailed(f"the server sent invalid XML: {error}") from error
            if not data or (self._parser.ended and not self._waiting):
                raise StreamFailed("the server ended the stream")
        element = self._waiting.pop(0)
        if element.tag == f"{STREAMS}error":
            raise StreamFailed(f"the server ended the stream: {_condition(element)}")
        return element

    async def _open(self) -> Element:
        self._parser = StreamParser()
        self._waiting = []
        await self.send(
            "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' "
            f"xmlns:stream='http://etherx.jabber.org/streams' to={attribute(self.login.domain)}>"
        )
        features = await self.next()
        if features.tag != f"{STREAMS}features":
            raise StreamFailed(f"the server sent {features.tag} instead of stream features")
        return features

    async def _start_tls(self, features: Element) -> Element:
        if features.find(f"{{{TLS}}}starttls") is None:
            raise TlsFailed("the server does not offer TLS")
        await self.send(f"<starttls xmlns='{TLS}'/>")
        if (await self.next()).tag != f"{{{TLS}}}proceed":
            raise TlsFailed("the server refused to start TLS")
        try:
            await asyncio.wait_for(
                self._writer.start_tls(self._context, server_hostname=self.login.domain), TIMEOUT_SECONDS
            )
        except ssl.SSLError as error:
            raise TlsFailed(_tls_reason(error)) from error
        except (OSError, TimeoutError) as error:
            raise TlsFailed(f"the connection was lost during the TLS handshake: {error}") from error
        return await self._open()

    async def _authenticate(self, features: Element) -> None:
        offered = {element.text or "" for element in features.iter(f"{{{SASL}}}mechanism")}
        wanted = [self.login.mechanism] if self.login.mechanism else [*scram.MECHANISMS, "PLAIN"]
        chosen = next((name for name in wanted if name in offered), None)
        if chosen is None:
            raise AuthFailed(f"the server offers none of {', '.join(wanted)}")
        self.mechanism = chosen
        if chosen == "PLAIN":
            secret = f"\0{self.login.user}\0{self.login.password}"
            await self._sasl("auth", secret, chosen)
            await self._sasl_answer("success")
            return
        own = scram.nonce()
        await self._sasl("auth", scram.first_message(self.login.user, own), chosen)
        first = await self._sasl_answer("challenge")
        try:
            final = scram.final_message(chosen, self.login.user, self.login.password, own, first)
            await self._sasl("response", final.message)
            scram.check_server(final, await self._sasl_answer("success"))
        except scram.ScramError as error:
            raise AuthFailed(str(error)) from error

    async def _sasl(self, kind: str, payload: str, mechanism: str = "") -> None:
        named = f" mechanism='{mechanism}'" if mechanism else ""
        data = base64.b64encode(payload.encode()).decode()
        await self.send(f"<{kind} xmlns='{SASL}'{named}>{data}</{kind}>")

    async def _sasl_answer(self, wanted: str) -> str:
        element = await self.next()
        if element.tag == f"{{{SASL}}}failure":
            raise AuthFailed(_condition(element))
        if element.tag != f"{{{SASL}}}{wanted}":
            raise StreamFailed(f"unexpected {element.tag} during the login")
        return base64.b64decode(element.text or "").decode()


def _condition(element: Element) -> str:
    names = [child.tag.rpartition("}")[2] for child in element]
    return next((name for name in names if name != "text"), "no reason given")


def _refused(stanza: Element) -> None:
    if stanza.get("type") == "error":
        error = stanza.find(f"{CLIENT}error")
        raise StanzaFailed(f"the server refused: {_condition(error) if error is not None else 'no reason'}")


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    return f"TLS failed: {error.reason or error}"
