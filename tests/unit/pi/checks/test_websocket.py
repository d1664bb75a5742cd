"""The WebSocket and page fetch against a small server of our own on loopback, over TLS."""

import base64
import hashlib
import socket
import ssl
import subprocess
import threading

import pytest

from lanpi.pi.checks import websocket

DOMAIN = "pi.local"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN={DOMAIN}", "-addext", f"subjectAltName=DNS:{DOMAIN}"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def serve(certificate):
    """Answer one connection with what ``answer(request head, socket)`` does; returns the port."""
    opened = []

    def start(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")

        def run():
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as secured:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += secured.recv(4096)
                answer(head.decode(), secured)

        thread = threading.Thread(target=run)
        thread.start()
        opened.append((listener, thread))
        return listener.getsockname()[1]

    yield start
    for listener, thread in opened:
        thread.join(10)
        listener.close()


@pytest.fixture
def trusted(certificate):
    return ssl.create_default_context(cafile=str(certificate / "cert.pem"))


def accept_key(head):
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
    # RFC 6455, 1.3
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def unmask(frame):
    length, mask = frame[1] & 0x7F, 2
    if length == 126:
        length, mask = int.from_bytes(frame[2:4], "big"), 4
    key, data = frame[mask : mask + 4], frame[mask + 4 : mask + 4 + length]
    return bytes(byte ^ key[n % 4] for n, byte in enumerate(data)).decode()


@pytest.mark.parametrize("padding", [0, 200])
def test_a_stream_is_opened(serve, trusted, padding):
    seen = []

    def answer(head, secured):
        accept = accept_key(head)
        secured.sendall(f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode())
        seen.append(unmask(secured.recv(4096)))
        text = b"<open id='1' xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>" + b" " * padding
        length = bytes([len(text)]) if len(text) < 126 else bytes([126]) + len(text).to_bytes(2, "big")
        secured.sendall(b"\x81" + length + text)
        secured.recv(4096)

    websocket.open_stream("127.0.0.1", serve(answer), DOMAIN, trusted)
    assert seen == [f"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{DOMAIN}' version='1.0'/>"]


def test_a_server_that_did_not_understand_is_an_error(serve, trusted):
    def answer(_, secured):
        secured.sendall(b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: anything\r\n\r\n")

    with pytest.raises(websocket.WebError, match=r"no WebSocket at /ws: HTTP/1\.1 101"):
        websocket.open_stream("127.0.0.1", serve(answer), DOMAIN, trusted)


def page(status, body, length):
    return lambda _, secured: secured.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}".encode())


def test_a_page_is_fetched(serve, trusted):
    assert websocket.fetch("127.0.0.1", serve(page("200 OK", "hello", 5)), DOMAIN, trusted)
    assert not websocket.fetch("127.0.0.1", serve(page("404 Not Found", "", 0)), DOMAIN, trusted)


@pytest.mark.parametrize(
    ("status", "length", "message"), [("200 OK", 50, "ended early"), ("500 Oops", 0, "no web page: HTTP/1.1 500 Oops")]
)
def test_a_page_that_does_not_come_is_an_error(serve, trusted, status, length, message):
    with pytest.raises(websocket.WebError, match=message):
        websocket.fetch("127.0.0.1", serve(page(status, "half", length)), DOMAIN, trusted)


def test_nobody_listening_is_an_error(trusted):
    with pytest.raises(websocket.WebError, match="no web page"):
        websocket.fetch("127.0.0.1", 1, DOMAIN, trusted)
