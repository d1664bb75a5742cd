"""A login over XMPP's WebSocket (RFC 7395), frame by frame; slixmpp knows TCP only."""

import base64
import os
import socket
import ssl

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


class Refused(Exception):
    """The server did not let the client in; the text is what it said."""


class WebSocket:
    """One XMPP stream over wss://domain/ws."""

    def __init__(self, address: str, domain: str, ca: str) -> None:
        self.domain = domain
        context = ssl.create_default_context(cafile=ca)
        self._connection = context.wrap_socket(
            socket.create_connection((address, 443), timeout=20), server_hostname=domain
        )
        self._stream = self._connection.makefile("rb")
        self._connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {domain}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://{domain}\r\n\r\n".encode()
        )
        self.status = self._stream.readline().decode().strip()
        while self._stream.readline().strip():
            pass

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @property
    def certificate(self) -> bytes | None:
        """The server's, as this connection was opened with it."""
        return self._connection.getpeercert(binary_form=True)

    def send(self, text: str) -> None:
        data = text.encode()
        # A mask of zeros changes nothing (RFC 6455, 5.3).
        self._connection.sendall(bytes([0x81, 0xFE, *divmod(len(data), 256), 0, 0, 0, 0]) + data)

    def read(self) -> str:
        length = self._stream.read(2)[1] & 0x7F
        if length == 126:
            length = int.from_bytes(self._stream.read(2), "big")
        return self._stream.read(length).decode(errors="replace")

    def read_until(self, *words: str) -> str:
        while True:
            text = self.read()
            assert text, f"the server ended before {words}"
            if any(word in text for word in words):
                return text

    def login(self, name: str, password: str) -> str:
        """Log in with PLAIN and ask for a resource; returns the server's answer to that.

        Raises:
            Refused: the server did not let it in.
        """
        begin = f"<open xmlns='{FRAMING}' to='{self.domain}' version='1.0'/>"
        self.send(begin)
        self._step("features")
        secret = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        self.send(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{secret}</auth>")
        self._step("<success")
        self.send(begin)
        self._step("features")
        self.send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        return self.read_until("<iq")

    def _step(self, wanted: str) -> None:
        answer = self.read_until(wanted, "<failure", "policy-violation")
        if wanted not in answer:
            raise Refused(answer)

    def ping(self) -> str:
        """Ask the server whether it is there."""
        self.send("<iq xmlns='jabber:client' type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
        return self.read_until("id='p'", 'id="p"')


def websocket_login(address: str, domain: str, ca: str, name: str, password: str) -> str:
    """Log in, and be gone; returns the server's answer to the question for a resource."""
    with WebSocket(address, domain, ca) as connection:
        return connection.login(name, password)
