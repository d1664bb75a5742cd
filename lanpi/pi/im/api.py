"""People and messages: ejabberd's own answers over its local socket, and its archive."""

import contextlib
import json
import re
import socket
import time
from typing import Any, Protocol

from lanpi.pi.checks.names import ACCOUNTS

SOCKET = "/var/lib/ejabberd/api.sock"
DATABASE = "/var/lib/ejabberd/ejabberd.db"
TIMEOUT_SECONDS = 5
PATIENT_SECONDS = 120
CHUNK = 65_536
# See templates/usr/lib/lanpi/im-call.j2: mod_http_api needs its caller to have an address.
PROXY_HEADER = b"PROXY TCP4 127.255.255.254 127.255.255.254 1 1\r\n"

# A message between two people is in the archive of each; in the sender's, it says that it is from them.
MESSAGES = """
SELECT COUNT(*), COALESCE(SUM(INSTR(SUBSTR(xml, 1, INSTR(xml, '>')), 'from=''' || username || '@') > 0), 0)
FROM archive WHERE server_host = ? AND timestamp >= ? AND kind = 'chat'
AND username NOT IN (?, ?)
"""
# Some releases keep one row for each kind of password.
REGISTERED = "SELECT COUNT(DISTINCT username) FROM users WHERE server_host = ? AND username NOT IN (?, ?)"


class Refused(ValueError):
    """ejabberd answered, but not with 200.

    Attributes:
        status: of HTTP; 404 also for a command that this release lacks.
        said: ejabberd's answer.
    """

    def __init__(self, command: str, status: str, said: str) -> None:
        super().__init__(f"{command}: {said or status}")
        self.status = status
        self.said = said


class Ask(Protocol):
    """How the modules of this package call ejabberd; a test brings its own."""

    def __call__(self, command: str, /, **arguments: Any) -> Any: ...


def asking(domain: str, timeout_seconds: float = PATIENT_SECONDS) -> Ask:
    """Calls of ejabberd's API on behalf of an administrator, who can wait longer than a status.

    Args:
        domain: the XMPP domain.
        timeout_seconds: for each read of an answer.
    """

    def ask(command: str, /, **arguments: Any) -> Any:
        return _call(domain, command, arguments, timeout_seconds)

    return ask


def call(domain: str, command: str, **arguments: Any) -> Any:
    """A command of ejabberd's API.

    Raises:
        OSError, ValueError: no answer, or a refusal.
    """
    return _call(domain, command, arguments, TIMEOUT_SECONDS)


def _call(domain: str, command: str, arguments: dict[str, Any], timeout_seconds: float) -> Any:
    # By hand: http.client and what it imports cost more than all of a status' questions together. One
    # connection each: behind the PROXY protocol ejabberd answers 400 to a second request.
    body = json.dumps(arguments).encode()
    head = (
        f"POST /api/{command} HTTP/1.0\r\nHost: {domain}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_seconds)
        connection.connect(SOCKET)
        connection.sendall(PROXY_HEADER + head.encode() + body)
        said = b""
        while more := connection.recv(CHUNK):
            said += more
    first, _, rest = said.partition(b"\r\n")
    answer = rest.partition(b"\r\n\r\n")[2]
    if first.split()[1:2] != [b"200"]:
        status = first.decode(errors="replace")
        raise Refused(command, " ".join(status.split()[1:2]) or status, answer.decode(errors="replace").strip())
    return json.loads(answer)


def people(domain: str, span_seconds: float = 60) -> dict[str, Any]:
    """Accounts, sessions, and messages of that long; None where they cannot be read (not root, not running)."""
    found: dict[str, Any] = dict.fromkeys(("registered", "online", "sessions", "answer_seconds"))
    # Of the database what is there: ejabberd writes two lines to its log for each question to its API.
    counted = counts(DATABASE, domain, time.time(), span_seconds)
    began = time.monotonic()
    # Not root, or not running: the services' states say which.
    with contextlib.suppress(OSError, ValueError):
        sessions = [jid for jid in call(domain, "connected_users") if jid.partition("@")[0] not in ACCOUNTS]
        found["answer_seconds"] = round(time.monotonic() - began, 3)
        found["sessions"] = len(sessions)
        found["online"] = len({jid.partition("/")[0] for jid in sessions})
        if counted["registered"] is None:
            counted["registered"] = len(set(call(domain, "registered_users", host=domain)) - set(ACCOUNTS))
    return {**found, **counted}


def counts(database: str, domain: str, now: float, span_seconds: float) -> dict[str, int | None]:
    """Accounts, and messages between people that the archive kept in that long until now, as sent and as received.

    All None where ejabberd does not keep them in this file, or the file may not be read.
    """
    nothing: dict[str, int | None] = dict.fromkeys(("registered", "sent", "received"))
    # Opening a database in WAL mode makes the -shm file where there is none, and then ejabberd could
    # not open its own: so only while ejabberd has it open.
    if not is_open(database):
        return nothing
    import sqlite3  # noqa: PLC0415 - python3-minimal lacks it, and a machine without lanpi has no database

    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1)
        try:
            since = int((now - span_seconds) * 1e6)
            kept, sent = connection.execute(MESSAGES, (domain, since, *ACCOUNTS)).fetchone()
            [registered] = connection.execute(REGISTERED, (domain, *ACCOUNTS)).fetchone()
        finally:
            connection.close()
        return {"registered": int(registered), "sent": int(sent), "received": int(kept) - int(sent)}
    return nothing


def is_open(database: str) -> bool:
    """Whether ejabberd has its SQLite database open, so that a reader changes nothing about it."""
    try:
        for suffix in ("", "-shm", "-wal"):
            with open(database + suffix, "rb"):  # noqa: PTH123
                pass
    except OSError:
        return False
    return True


def database_of(config_text: str | None) -> str:
    """The database in lanpi's configuration on the Pi, or its default."""
    found = re.search(r"^database:\s*[\"']?(\w+)", config_text or "", re.MULTILINE)
    return found.group(1) if found else "sqlite"


def domain_of(config_text: str | None) -> str:
    """The XMPP domain in /etc/lanpi/lanpi.yml, written by lanpi as ``domain: name``."""
    found = re.search(r"^domain:\s*[\"']?([^\s\"'#]+)", config_text or "", re.MULTILINE)
    return found.group(1) if found else "localhost"


def admin_of(config_text: str | None) -> str:
    """The administrator's name in /etc/lanpi/lanpi.yml, or its default."""
    found = re.search(r"^admin:\s*[\"']?([^\s\"'#]+)", config_text or "", re.MULTILINE)
    return found.group(1) if found else "admin"
