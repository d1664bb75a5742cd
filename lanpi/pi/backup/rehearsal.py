"""A second server with restored data, in a unit of its own (drill.py makes it): started, asked, logged into, stopped.

Here /var/lib/ejabberd is the drill's folder and 127.0.0.1 a network that nobody else is in.
"""

import base64
import contextlib
import json
import re
import secrets
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lanpi.pi.backup.common import Problem, Reporter, command
from lanpi.pi.backup.content import NOBODYS

HOME = "/var/lib/ejabberd"
LOG = Path(f"{HOME}/drill.log")
IM_CALL = "/usr/lib/lanpi/im-call"
PORT = 5223
POSTGRESQL_PORT = 5432
POSTGRESQL_SOCKET = f"/run/postgresql/.s.PGSQL.{POSTGRESQL_PORT}"
START_SECONDS = 240.0  # a Pi Zero 2 on a slow card, behind everything else
STOP_SECONDS = 30.0
# No distribution: no node name, no port mapper, nothing that the live node could meet.
ERLANG = ("erl", "-noinput", "+S", "1", "+sbwt", "none", "-mnesia", "dir", f'"{HOME}/mnesia"', "-s", "ejabberd")
AS_EJABBERD = ("setpriv", "--reuid=ejabberd", "--regid=ejabberd", "--init-groups")
RELAY = ("/usr/lib/lanpi/backup", "rehearse-relay")


def rehearse(reporter: Reporter, domain: str, *, postgresql: bool) -> None:
    """Run the second server; how many people it serves and how long it took to start and to log in."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": HOME,
        "EJABBERD_CONFIG_PATH": f"{HOME}/ejabberd.yml",
        "EJABBERD_LOG_PATH": str(LOG),
        "ERL_CRASH_DUMP_BYTES": "0",
        **_libraries(),
    }
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        if postgresql:
            stack.enter_context(_running((*AS_EJABBERD, *RELAY), environment))
        server = stack.enter_context(_running((*AS_EJABBERD, *ERLANG), environment))
        _wait(server)
        started = time.monotonic()
        people = set(json.loads(_ask("registered_users", host=domain))) - set(NOBODYS)
        name, password = f"lanpi-drill-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
        _ask("register", user=name, host=domain, password=password)
        log_in(domain, name, password)
        _ask("unregister", user=name, host=domain)
        took = time.monotonic() - started
    reporter.say("result", people=len(people), start_seconds=round(started - began, 1), login_seconds=round(took, 2))


def _libraries() -> dict[str, str]:
    """Where Debian's ejabberd finds its libraries: ejabberdctl knows the architecture's folder."""
    found = re.search(r"^ERL_LIBS='(.*)'$", Path("/usr/sbin/ejabberdctl").read_text(), re.MULTILINE)
    return {"ERL_LIBS": found[1]} if found else {}


@contextlib.contextmanager
def _running(argv: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(argv, env=environment, cwd=HOME, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run([IM_CALL, "status"], capture_output=True, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            lines = LOG.read_text(errors="replace").splitlines() if LOG.exists() else []
            said = [line for line in lines if "[critical]" in line or "[error]" in line] or lines[-1:]
            raise Problem(f"a server did not start with the restored data: {' '.join(said[:1])}")
        time.sleep(0.5)


def _ask(name: str, **arguments: str) -> str:
    return command([IM_CALL, name, "-"], stdin=json.dumps(arguments), seconds=120)


def log_in(domain: str, user: str, password: str) -> None:
    """Log in as an app does (TLS, SASL, a bound session) and ask the archive a question; raises Problem."""
    context = ssl.create_default_context()
    # Nobody else is in this network, and a certificate of one's own (tls.mode: files) may be of any authority.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    header = (
        f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' to='{domain}' "
        "xmlns:stream='http://etherx.jabber.org/streams'>"
    )
    plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    bind = "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
    archive = "<iq type='set' id='2'><query xmlns='urn:xmpp:mam:2'/></iq>"
    with (
        socket.create_connection(("127.0.0.1", PORT), timeout=60) as raw,
        context.wrap_socket(raw, server_hostname=domain) as stream,
    ):
        for sent, expected in (
            (header, "</stream:features>"),
            (f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>", "<success"),
            (header, "</stream:features>"),
            (bind, f"{user}@{domain}/"),
            (archive, "<fin "),
        ):
            stream.sendall(sent.encode())
            _read_until(stream, expected)


def _read_until(stream: ssl.SSLSocket, expected: str) -> None:
    seen = ""
    while expected not in seen:
        data = stream.recv(65536)
        if not data or "<failure" in seen or "type='error'" in seen:
            raise Problem(f"nobody can log in to the second server: it answered {seen[-200:] or 'nothing'}")
        seen += data.decode(errors="replace")


def relay() -> None:
    """PostgreSQL's Unix socket as a port of this network, for this user: the server knows it by its address."""
    with socket.create_server(("127.0.0.1", POSTGRESQL_PORT)) as server:
        while True:
            taken, _ = server.accept()
            there = socket.socket(socket.AF_UNIX)
            there.connect(POSTGRESQL_SOCKET)
            for pair in ((taken, there), (there, taken)):
                threading.Thread(target=_pump, args=pair, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
