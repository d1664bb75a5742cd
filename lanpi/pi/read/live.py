"""What only a running system can be asked: the certificate that it shows, the room its logs take."""

import os
import socket
import ssl
import subprocess
import time

TLS_PORT = 5223
CERTIFICATE = "/etc/lanpi/tls/server.pem"
TIMEOUT_SECONDS = 5
BLOCK_BYTES = 512  # st_blocks counts these (stat(2))
LOGS = "/var/log"


def certificate_days_left(domain: str) -> float | None:
    """Days until the certificate that XMPP clients are shown ends, negative after that.

    Asked of the running server, so that it holds for every kind of certificate and login; of the
    local authority's file while the server is down.
    """
    certificate = _served(domain) or _filed()
    if not certificate:
        return None
    try:
        told = subprocess.run(
            ["openssl", "x509", "-noout", "-enddate"],
            input=certificate,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        ends = ssl.cert_time_to_seconds(told.stdout.decode().strip().partition("=")[2])
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return round((ends - time.time()) / 86400, 2)


def _served(domain: str) -> bytes:
    # Whether it is trusted is another question; here it is only looked at. A context without the system's
    # authorities, which take longer to load than the rest.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", TLS_PORT), TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=domain) as secure,
        ):
            shown = secure.getpeercert(binary_form=True)
    except OSError:
        return b""
    return ssl.DER_cert_to_PEM_cert(shown).encode() if shown else b""


def _filed() -> bytes:
    try:
        with open(CERTIFICATE, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""


def logs_bytes() -> int | None:
    """What all logs take on the disk; None where one of the folders may not be read."""
    total = 0
    unreadable: list[OSError] = []
    for folder, _, names in os.walk(LOGS, onerror=unreadable.append):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * BLOCK_BYTES  # noqa: PTH118
            except FileNotFoundError:
                continue  # rotated away in between
            except OSError as error:
                unreadable.append(error)
    return None if unreadable else total
