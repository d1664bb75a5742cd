"""Whether messages really pass: two accounts that live for seconds log in, write, read and look into the archive."""

from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.provision.proof import Proof, prove
from lanpi.server.admin import Server
from lanpi.status.lines import Line
from lanpi.status.model import Readings
from lanpi.status.probe.im import domain_of
from lanpi.status.thresholds import TABLE

SECTION = "End to end"


def deep_lines(host: Host, readings: Readings) -> tuple[Line, ...]:
    """Make the check and say how long each part took; the accounts are removed again.

    Args:
        host: the Pi; root is needed to make the accounts.
        readings: of the same Pi, for its domain.
    """
    if not readings.is_root:
        text = "not available without root, which makes the accounts for it"
        return (Line("deep", SECTION, "Message", "unknown", text),)
    try:
        return proof_lines(prove(host, Server(host, domain_of(readings.config_text))))
    except LanpiError as error:
        return (Line("deep", SECTION, "Message", "critical", error.what, error.next_step),)


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
