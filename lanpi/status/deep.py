"""Whether messages really pass now: the Pi's own check, and the way to the Pi over the network."""

import asyncio
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lanpi.deploy.proof import XMPP_PORT, Proof, prove, trust_anchor
from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.im.admin import Server
from lanpi.pi.im.api import domain_of
from lanpi.pi.thresholds import TABLE
from lanpi.pi.xmpp.client import Client, Login, XmppError
from lanpi.status.lines import Line
from lanpi.status.model import Readings

SECTION = "End to end"
CHECK = "/usr/lib/lanpi/check"
CHECK_SECONDS = 120
PARTS = (
    ("login", "Login"),
    ("delivery", "Delivery"),
    ("archive", "Archive"),
    ("websocket", "WebSocket"),
    ("web", "Web page"),
)
DOCTOR = "See what is wrong and what to do: lanpi doctor"


def deep_lines(host: Host, readings: Readings) -> tuple[Line, ...]:
    """Run the check and report how long each part took.

    The Pi sends the message between the two accounts that it has for its checks. Those accounts cannot log in from
    anywhere else, so this machine tests how far it gets without a login: through network, firewall and TLS. A Pi
    without checks, installed by an older lanpi, gets two accounts that live for seconds.

    Args:
        host: the Pi; needs root, because only root may read the accounts' passwords.
        readings: of the same Pi, for its domain and configuration.
    """
    if not readings.is_root:
        text = "not available without root: only root can read the accounts it needs"
        return (Line("deep", SECTION, "Message", "unknown", text),)
    if readings.history is None and host.run(["test", "-x", CHECK], root=True, check=False).exit_status:
        return _temporary_lines(host, readings)
    if not host.direct:
        return _check_lines(host)
    anchor = trust_anchor(readings.config_text or "")
    ca = None if anchor is None else host.get(anchor, root=True)
    # Both at once: where the server hangs, each waits until its own timeout.
    with ThreadPoolExecutor(1) as pool:
        reached = pool.submit(reach_line, host.address, domain_of(readings.config_text), ca)
        return (*_check_lines(host), reached.result())


def _temporary_lines(host: Host, readings: Readings) -> tuple[Line, ...]:
    try:
        return proof_lines(prove(host, Server(host, domain_of(readings.config_text))))
    except LanpiError as error:
        return (Line("deep", SECTION, "Message", "critical", error.what, error.next_step),)


def _check_lines(host: Host) -> tuple[Line, ...]:
    """One check on the Pi itself, which the Pi also adds to its history."""
    done = host.run([CHECK, "check"], root=True, check=False, timeout_seconds=CHECK_SECONDS)
    if done.exit_status != 0:
        last = done.error_text.strip().rpartition("\n")[2]
        text = f"the check did not run: {last or done.exit_status}"
        return (Line("deep", SECTION, "Message", "critical", text, "Repair the check: lanpi install"),)
    return sample_lines(json.loads(done.stdout))


def sample_lines(sample: dict[str, Any]) -> tuple[Line, ...]:
    """What a check found: whether it passed, and the time in seconds of each part that it reached."""
    if sample["passed"]:
        verdict = Line("deep", SECTION, "Message", "ok", "passed, on the Pi")
    else:
        verdict = Line("deep", SECTION, "Message", "critical", sample.get("error", "did not pass"), DOCTOR)
    return (verdict, *(_timed(key, label, sample[key]) for key, label in PARTS if key in sample))


def _timed(key: str, label: str, seconds: float, more: str = "") -> Line:
    level = TABLE[f"deep_{key}"].level(seconds)
    return Line(f"deep:{key}", SECTION, label, level, f"{1000 * seconds:.0f} ms{more}")


def reach_line(address: str, domain: str, ca: bytes | None, port: int = XMPP_PORT) -> Line:
    """Whether this machine gets to the point of logging in, with a valid certificate.

    Args:
        address, port: of the server.
        domain: that it serves.
        ca: certificate to verify it against (PEM); None for the system's authorities.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="lanpi-") as folder:
            path = Path(folder) / "ca.crt"
            path.write_bytes(ca or b"")
            began = time.monotonic()
            asyncio.run(_reach(Login("", domain, "", address, port, str(path) if ca else None)))
            return _timed("reach", "From here", time.monotonic() - began, ", over network and TLS")
    except XmppError as error:
        return Line("deep:reach", SECTION, "From here", "critical", f"not reachable: {error}", DOCTOR)


async def _reach(login: Login) -> None:
    client = Client(login)
    await client.secure()
    await client.close()


def proof_lines(proof: Proof) -> tuple[Line, ...]:
    """The parts of a check that used temporary accounts, each with its time."""
    return (
        Line("deep", SECTION, "Message", "ok", f"passed, sent from {proof.made_from}"),
        _timed("login", "Login", proof.login_seconds, f", {proof.mechanism}"),
        _timed("delivery", "Delivery", proof.delivery_seconds),
        _timed("archive", "Archive", proof.archive_seconds),
    )
