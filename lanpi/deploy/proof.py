"""The end of an install is proof: a message between two temporary accounts over the public port."""

import asyncio
import json
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from lanpi import paths
from lanpi.config.load import effective
from lanpi.config.read import parse
from lanpi.deploy.session import Session
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.im.admin import Server, generate_password
from lanpi.pi.xmpp.client import Login, XmppError
from lanpi.pi.xmpp.exchange import exchange
from lanpi.progress import Progress
from lanpi.ship.bundle import broken_reading, run_program

XMPP_PORT = 5222


@dataclass(frozen=True)
class Proof:
    """How long each part of the exchange took, in seconds, and from where it was made."""

    login_seconds: float
    delivery_seconds: float
    archive_seconds: float
    mechanism: str
    made_from: str


def prove(host: Host, server: Server) -> Proof:
    """Send a message between two new accounts, find it in the archive, remove the accounts.

    This machine sends it if it reaches the Pi's address directly, so that the proof covers network and firewall;
    behind a jump host the Pi itself does. The certificate is verified.

    Raises:
        LanpiError: FAILED with what did not work.
    """
    run = secrets.token_hex(4)
    accounts = {f"lanpi-proof-{run}-{number}": generate_password() for number in (1, 2)}
    anchor = trust_anchor(host.get(paths.PI_CONFIG, root=True).decode())
    try:
        made = [("register", {"user": n, "host": server.domain, "password": p}) for n, p in accounts.items()]
        server.batch(made)
        (sender, sender_password), (receiver, receiver_password) = accounts.items()
        with tempfile.TemporaryDirectory(prefix="lanpi-") as folder:
            ca_path = None
            if anchor is not None:
                (Path(folder) / "ca.crt").write_bytes(host.get(anchor, root=True))
                ca_path = str(Path(folder) / "ca.crt")
            address = host.address if host.direct else "127.0.0.1"
            logins = [
                Login(name, server.domain, password, address, XMPP_PORT, ca_path)
                for name, password in ((sender, sender_password), (receiver, receiver_password))
            ]
            if host.direct:
                done = asyncio.run(exchange(*logins))
                return Proof(**asdict(done), made_from="here")
            return _on_the_pi(host, logins, anchor)
    except XmppError as error:
        raise LanpiError(
            f"everything is installed, but no message got through: {error}",
            host=host.name,
            next_step="Run the same command again; if it fails again, `lanpi doctor` says why",
            exit_code=ExitCode.FAILED,
        ) from error
    finally:
        # Also those that were never made: ejabberd answers the same.
        server.batch([("unregister", {"user": name, "host": server.domain}) for name in accounts])


def proven(session: Session, server: Server, report: Progress) -> Proof:
    """The proof as a reported step.

    Raises:
        LanpiError: as ``prove``.
    """
    report.begin("Sending a message between two accounts")
    proof = session.persist(lambda: prove(session, server), report)
    report.end(f"delivered in {proof.delivery_seconds * 1000:.0f} ms and archived")
    return proof


def trust_anchor(config_text: str) -> str | None:
    """Path on the Pi of what the certificate is verified against; None for the system's authorities.

    With certificates from files it is that certificate itself: whether phones know who signed it cannot be
    told from here, but that the server shows it, for the right name and in time, can.

    Args:
        config_text: the Pi's lanpi.yml.
    """
    config = effective(parse(config_text, paths.PI_CONFIG), {}).config
    match config.tls.mode:
        case "files":
            return config.tls.certificate
        case "acme":
            return None
        case _:
            return f"{paths.PI_TLS}/ca.crt"


def _on_the_pi(host: Host, logins: list[Login], anchor: str | None) -> Proof:
    given = json.dumps([asdict(login) | {"ca": anchor} for login in logins])
    done = run_program(host, "lanpi.pi.xmpp.prove", [given], root=True)
    if done.exit_status != 0:
        raise broken_reading(host, done, f"exit status {done.exit_status}")
    said = json.loads(done.stdout)
    if "error" in said:
        raise XmppError(said["error"])
    return Proof(**said, made_from="the Pi")
