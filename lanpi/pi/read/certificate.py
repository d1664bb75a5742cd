"""The certificates: the one that each TLS port shows, and the one that ejabberd is configured with."""

import hashlib
import os
import re
import socket
import ssl
import subprocess
from typing import Any

from lanpi.pi.read.source import Machine

PORTS = (5223, 443)
"""Where TLS begins at once: XMPP clients and the web."""
CONFIGURATION = "/etc/ejabberd/ejabberd.yml"
OWN = "/etc/lanpi/tls/server.pem"
"""Of the local authority: what is configured where ejabberd's configuration may not be read."""
TIMEOUT_SECONDS = 5
DAY_SECONDS = 86400
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def certificates(source: Machine, domain: str) -> dict[str, Any]:
    """What is shown and what is configured.

    Args:
        source: the machine.
        domain: to ask the ports for.

    Returns:
        ``shown``: for each of PORTS ``port``, ``sha256`` of the certificate ("" for none) and ``problem``: why there
        is none, "closed" where nobody listens. ``configured``: None where it cannot be told, else ``path``,
        ``sha256``, ``problem`` ("" for none) and ``days_left``. ``ends`` (seconds since the epoch) and ``names`` are of
        the one that is shown, else of the configured one; None and empty where there is neither.
    """
    ders = {port: _shown(port, domain) for port in PORTS}
    configured, from_file = _configured(source)
    if configured is not None:
        configured["days_left"] = _days(_tell(from_file)[0], source.epoch()) if from_file else None
    first = next((found for found in ders.values() if isinstance(found, bytes)), from_file)
    ends, names = _tell(first) if first else (None, [])
    return {
        "shown": [
            {"port": port, "sha256": _fingerprint(found), "problem": ""}
            if isinstance(found, bytes)
            else {"port": port, "sha256": "", "problem": found}
            for port, found in ders.items()
        ],
        "configured": configured,
        "ends": ends,
        "names": names,
    }


def days_left(found: dict[str, Any], now: float) -> float | None:
    """Days until the certificate ends, negative after that; None where there is none to be seen."""
    return _days(found["ends"], now)


def _days(ends: float | None, now: float) -> float | None:
    return None if ends is None else round((ends - now) / DAY_SECONDS, 2)


def _fingerprint(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def _shown(port: int, domain: str) -> bytes | str:
    """The certificate (DER) that a port shows, or why it shows none."""
    # Whether it is trusted is another question; here it is only looked at. A context without the system's
    # authorities, which take longer to load than the rest.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain:
            try:
                with context.wrap_socket(plain, server_hostname=domain) as secure:
                    return secure.getpeercert(binary_form=True) or "it shows no certificate"
            except OSError as error:  # ssl.SSLError is one
                return f"no TLS: {getattr(error, 'reason', None) or error}"
    except OSError:
        return "closed"


def path_in(configuration: str) -> str:
    """The first of ``certfiles`` in ejabberd.yml; "" where it names none, as with ACME."""
    named = re.search(r"^certfiles: \[([^,\]]*)", configuration, re.MULTILINE)
    return named[1].strip().strip("\"'") if named else ""


def _configured(source: Machine) -> tuple[dict[str, Any] | None, bytes]:
    text = source.read_text(CONFIGURATION)
    path = OWN if text is None else path_in(text)
    if not path or (text is None and not source.exists(path)):
        return None, b""
    if not source.exists(path):
        return {"path": path, "sha256": "", "problem": "is missing"}, b""
    pem = source.read_text(path)
    if pem is None:
        # An ordinary user may not; root may read everything that is a file.
        return ({"path": path, "sha256": "", "problem": "cannot be read"} if os.geteuid() == 0 else None), b""
    first = _PEM.search(pem)
    try:
        der = ssl.PEM_cert_to_DER_cert(first[0]) if first else b""
    except ValueError:
        der = b""
    if not der:
        return {"path": path, "sha256": "", "problem": "holds no certificate"}, b""
    return {"path": path, "sha256": _fingerprint(der), "problem": ""}, der


def _tell(der: bytes) -> tuple[float | None, list[str]]:
    """End (seconds since the epoch) and names of a certificate; None and none where openssl does not understand it."""
    try:
        told = subprocess.run(
            ["openssl", "x509", "-inform", "DER", "-noout", "-enddate", "-ext", "subjectAltName"],
            input=der,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        ).stdout.decode(errors="replace")
        end = re.search(r"^notAfter=(.+)$", told, re.MULTILINE)
        ends = float(ssl.cert_time_to_seconds(end[1])) if end else None
    except (OSError, subprocess.SubprocessError, ValueError):
        return None, []
    return ends, re.findall(r"(?:DNS|IP Address):([^,\s]+)", told)
