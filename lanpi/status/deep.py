"""Whether messages really pass, now: from here over the network, and on the Pi as its own checks do it."""

import json

from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.provision.proof import Proof, prove
from lanpi.server.admin import Server
from lanpi.status.lines import Line
from lanpi.status.model import Readings
from lanpi.status.probe.im import domain_of
from lanpi.status.thresholds import TABLE

SECTION = "End to end"
CHECK = "/usr/lib/lanpi/check"
CHECK_SECONDS = 120
WEB_PARTS = (("websocket", "WebSocket"), ("web", "Web page"))


def deep_lines(host: Host, readings: Readings) -> tuple[Line, ...]:
    """Make the check and say how long each part took.

    The message from here goes between two accounts that live for seconds, because the checks' own are refused
    from anywhere but the Pi; WebSocket and web page are tried by the Pi's own check, which keeps the result.

    Args:
        host: the Pi; root is needed to make the accounts.
        readings: of the same Pi, for its domain.
    """
    if not readings.is_root:
        text = "not available without root, which makes the accounts for it"
        return (Line("deep", SECTION, "Message", "unknown", text),)
    try:
        proof = proof_lines(prove(host, Server(host, domain_of(readings.config_text))))
    except LanpiError as error:
        proof = (Line("deep", SECTION, "Message", "critical", error.what, error.next_step),)
    return (*proof, *_web_lines(host))


def proof_lines(proof: Proof) -> tuple[Line, ...]:
    """The parts of a check that worked, each with its time."""
    parts = (
        ("login", "Login", proof.login_seconds, f", {proof.mechanism}"),
        ("delivery", "Delivery", proof.delivery_seconds, ""),
        ("archive", "Archive", proof.archive_seconds, ""),
    )
    made_from = f"passed, sent from {proof.made_from}"
    return (
        Line("deep", SECTION, "Message", "ok", made_from),
        *(
            Line(f"deep:{key}", SECTION, label, TABLE[f"deep_{key}"].level(seconds), f"{1000 * seconds:.0f} ms{more}")
            for key, label, seconds, more in parts
        ),
    )


def _web_lines(host: Host) -> tuple[Line, ...]:
    """One check on the Pi itself, of which the part beyond messages is told."""
    done = host.run([CHECK, "check"], root=True, check=False, timeout_seconds=CHECK_SECONDS)
    if done.exit_status != 0:
        last = done.error_text.strip().rpartition("\n")[2]
        return (Line("deep:check", SECTION, "On the Pi", "warning", last or "the check did not run", "lanpi install"),)
    sample = json.loads(done.stdout)
    if not sample["passed"]:
        why = sample.get("error", "")
        return (
            Line("deep:check", SECTION, "On the Pi", "critical", why, "What is wrong, and what to do: lanpi doctor"),
        )
    return tuple(
        Line(f"deep:{key}", SECTION, label, TABLE[f"deep_{key}"].level(sample[key]), f"{1000 * sample[key]:.0f} ms")
        for key, label in WEB_PARTS
        if key in sample
    )
