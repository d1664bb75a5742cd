"""A login over XMPP's WebSocket (RFC 7395), frame by frame; slixmpp knows TCP only."""

import base64
import os
import socket
import ssl

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"


def websocket_login(address: str, domain: str, ca: str, name: str, password: str) -> str:
    """Log in with PLAIN and ask for a resource; returns the server's answer to that."""
    context = ssl.create_default_context(cafile=ca)
    plain = socket.create_connection((address, 443), timeout=20)
    with context.wrap_socket(plain, server_hostname=domain) as connection, connection.makefile("rb") as stream:
        connection.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {domain}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://{domain}\r\n\r\n".encode()
        )
        while stream.readline().strip():
            pass

        def send(text: str) -> None:
            data = text.encode()
            # A mask of zeros changes nothing (RFC 6455, 5.3).
            connection.sendall(bytes([0x81, 0xFE, *divmod(len(data), 256), 0, 0, 0, 0]) + data)

        def read() -> str:
            length = stream.read(2)[1] & 0x7F
            if length == 126:
                length = int.from_bytes(stream.read(2), "big")
            return stream.read(length).decode()

        def read_until(word: str) -> str:
            while word not in (text := read()):
                assert text, f"the server ended before {word}"
            return text

        begin = f"<open xmlns='{FRAMING}' to='{domain}' version='1.0'/>"
        send(begin)
        read_until("features")
        secret = base64.b64encode(f"\0{name}\0{password}".encode()).decode()
        send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        read_until("<success")
        send(begin)
        read_until("features")
        send("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        return read_until("<iq")
