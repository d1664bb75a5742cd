"""Whether messages really pass now: the Pi's own check, and the way to the Pi over the network."""

import asyncio
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lanpi.deploy.check import has_check, run_check
from lanpi.deploy.proof import XMPP_PORT, Proof, prove, trust_anchor
from lanpi.errors import LanpiError
from lanpi.health.finding import Finding
from lanpi.health.readings import Readings
from lanpi.hosts.base import Host
from lanpi.im.admin import Server
from lanpi.pi.im.api import domain_of
from lanpi.pi.thresholds import TABLE
from lanpi.pi.xmpp.client import Client, Login, XmppError

PARTS = (
    ("login", "Login"),
    ("delivery", "Delivery"),
    ("archive", "Archive"),
    ("websocket", "WebSocket"),
    ("web", "Web page"),
)
DOCTOR = "See what is wrong and what to do: lanpi doctor"


def deep_lines(host: Host, readings: Readings) -> tuple[Finding, ...]:
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
        return (Finding("deep", "unknown", text, "Message"),)
    if readings.history is None and not has_check(host):
        return _temporary_lines(host, readings)
    if not host.direct:
        return _check_lines(host)
    anchor = trust_anchor(readings.config_text or "")
    ca = None if anchor is None else host.get(anchor, root=True)
    # Both at once: where the server hangs, each waits until its own timeout.
    with ThreadPoolExecutor(1) as pool:
        reached = pool.submit(reach_line, host.address, domain_of(readings.config_text), ca)
        return (*_check_lines(host), reached.result())


def _temporary_lines(host: Host, readings: Readings) -> tuple[Finding, ...]:
    try:
        return proof_lines(prove(host, Server(host, domain_of(readings.config_text))))
    except LanpiError as error:
        return (_bad(error.what, error.next_step),)


def _check_lines(host: Host) -> tuple[Finding, ...]:
    """One check on the Pi itself, which the Pi also adds to its history."""
    try:
        return sample_lines(run_check(host))
    except LanpiError as error:
        return (_bad(error.what, error.next_step),)


def sample_lines(sample: dict[str, Any]) -> tuple[Finding, ...]:
    """What a check found: whether it passed, and the time in seconds of each part that it reached."""
    if sample["passed"]:
        verdict = Finding("deep", "ok", "passed, on the Pi", "Message")
    else:
        verdict = _bad(sample.get("error", "did not pass"), DOCTOR)
    return (verdict, *(_timed(key, label, sample[key]) for key, label in PARTS if key in sample))


def _bad(text: str, fix: str) -> Finding:
    return Finding("deep", "critical", text, "Message", text, fix=fix)


def _timed(key: str, label: str, seconds: float, more: str = "") -> Finding:
    level = TABLE[f"deep_{key}"].level(seconds)
    return Finding(f"deep:{key}", level, f"{1000 * seconds:.0f} ms{more}", label)


def reach_line(address: str, domain: str, ca: bytes | None, port: int = XMPP_PORT) -> Finding:
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
        text = f"not reachable: {error}"
        return Finding("deep:reach", "critical", text, "From here", text, fix=DOCTOR)


async def _reach(login: Login) -> None:
    client = Client(login)
    await client.secure()
    await client.close()


def proof_lines(proof: Proof) -> tuple[Finding, ...]:
    """The parts of a check that used temporary accounts, each with its time."""
    return (
        Finding("deep", "ok", f"passed, sent from {proof.made_from}", "Message"),
        _timed("login", "Login", proof.login_seconds, f", {proof.mechanism}"),
        _timed("delivery", "Delivery", proof.delivery_seconds),
        _timed("archive", "Archive", proof.archive_seconds),
    )
