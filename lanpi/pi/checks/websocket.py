"""One XMPP stream opened over a WebSocket (RFC 6455, RFC 7395), and a page fetched: enough to say that they work."""

import base64
import hashlib
import http.client
import io
import os
import socket
import ssl

TIMEOUT_SECONDS = 15.0
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3: what a server puts after the key to show that it understood."""
_TEXT, _CLOSE, _FINAL, _MASKED = 0x1, 0x8, 0x80, 0x80
_LENGTH, _SHORT, _LONG = 0x7F, 125, 126
"""RFC 6455, 5.2: the length's bits; up to 125 it is the length itself, 126 says that two bytes follow."""
_FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"


class WebError(Exception):
    """Something did not work; the text says what."""


def _connect(address: str, port: int, domain: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(
        socket.create_connection((address, port), timeout=TIMEOUT_SECONDS), server_hostname=domain
    )


def open_stream(address: str, port: int, domain: str, context: ssl.SSLContext) -> None:
    """Open a stream at wss://domain/ws and close it again.

    Raises:
        WebError: no connection, no WebSocket, or no stream.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    try:
        with _connect(address, port, domain, context) as connection:
            connection.sendall(
                f"GET /ws HTTP/1.1\r\nHost: {domain}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n"
                f"Origin: https://{domain}\r\n\r\n".encode()
            )
            with connection.makefile("rb") as stream:
                status = stream.readline().decode(errors="replace").strip()
                headers = http.client.parse_headers(stream)
                expected = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest())  # noqa: S324 - the RFC's
                if " 101 " not in f"{status} " or headers.get("Sec-WebSocket-Accept", "").encode() != expected:
                    raise WebError(f"no WebSocket at /ws: {status or 'no answer'}")
                connection.sendall(_frame(_TEXT, f"<open xmlns='{_FRAMING}' to='{domain}' version='1.0'/>"))
                answer = _read_frame(stream)
                if "<open" not in answer:
                    raise WebError(f"no XMPP stream over the WebSocket: {answer[:80]}")
                connection.sendall(_frame(_TEXT, f"<close xmlns='{_FRAMING}'/>") + _frame(_CLOSE, ""))
    except (OSError, http.client.HTTPException) as error:
        raise WebError(f"no WebSocket: {error}") from error


def _frame(kind: int, text: str) -> bytes:
    """A client's frame, masked as RFC 6455 5.3 asks."""
    data, mask = text.encode(), os.urandom(4)
    length = bytes([_MASKED | len(data)]) if len(data) <= _SHORT else bytes([_MASKED | _LONG, *divmod(len(data), 256)])
    return bytes([_FINAL | kind]) + length + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))


def _read_frame(stream: io.BufferedReader) -> str:
    head = stream.read(2)
    if len(head) < 2:
        raise WebError("the WebSocket was closed")
    length = head[1] & _LENGTH
    if length == _LONG:
        length = int.from_bytes(stream.read(2), "big")
    return stream.read(length).decode(errors="replace")


def fetch(address: str, port: int, domain: str, context: ssl.SSLContext) -> bool:
    """Fetch https://domain/; whether a page is served there.

    Raises:
        WebError: no connection, or an answer that is neither a page nor "there is none".
    """
    try:
        with _connect(address, port, domain, context) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode())
            with connection.makefile("rb") as stream:
                status = stream.readline().decode(errors="replace").strip()
                words = status.split()
                if len(words) < 2 or words[1] not in ("200", "404"):
                    raise WebError(f"no web page: {status or 'no answer'}")
                if words[1] == "404":
                    return False
                headers = http.client.parse_headers(stream)
                wanted = int(headers.get("Content-Length", "0"))
                if len(stream.read(wanted)) < wanted:
                    raise WebError("the web page ended early")
                return True
    except (OSError, http.client.HTTPException) as error:
        raise WebError(f"no web page: {error}") from error
