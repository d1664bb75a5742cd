"""The ports that lanpi's services answer on: one table for firewall, preflight and the summary."""

from dataclasses import dataclass
from typing import Literal

from lanpi.config.model import Config

TURN_FIRST, TURN_LAST = 49152, 49251
"""UDP ports for relayed calls: a hundred from the dynamic range (RFC 6335), two for each call."""
FRONT_HTTP, FRONT_XMPP, RELAY = 5280, 5224, 5225
"""On loopback, between nginx and ejabberd: HTTP, XMPP's TLS with the PROXY protocol, and nginx's
own way to the latter."""
METRICS = 9100
"""The node exporter's own (github.com/prometheus/prometheus/wiki/Default-port-allocations)."""


@dataclass(frozen=True)
class Opening:
    """Ports that the network may reach.

    Attributes:
        protocol: tcp or udp.
        first, last: the range, equal for one port.
        service: what answers there, for people.
        local: only for addresses of the local network.
    """

    protocol: Literal["tcp", "udp"]
    first: int
    last: int
    service: str
    local: bool = False

    @property
    def range(self) -> str:
        """As nftables writes it: "443" or "49152-49251"."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def openings(config: Config, ssh_ports: tuple[int, ...] = (22,)) -> tuple[Opening, ...]:
    """What the firewall lets in under a configuration.

    Args:
        config: the configuration in effect.
        ssh_ports: where the machine's own SSH server listens; never closed.
    """
    wanted = [Opening("tcp", port, port, "SSH") for port in ssh_ports]
    wanted += [
        Opening("tcp", 80, 80, "HTTP: the CA certificate" if config.tls.mode == "local" else "HTTP: ACME"),
        Opening("tcp", 443, 443, "HTTPS: web, uploads, WebSocket, BOSH"),
        Opening("tcp", 5222, 5223, "XMPP clients"),
    ]
    if config.network.hostname_mdns:
        wanted.append(Opening("udp", 5353, 5353, "mDNS"))
    if config.im.calls:
        wanted.append(Opening("udp", 3478, 3478, "STUN and TURN"))
        wanted.append(Opening("udp", TURN_FIRST, TURN_LAST, "relayed calls"))
    if config.im.mqtt:
        wanted.append(Opening("tcp", 8883, 8883, "MQTT over TLS"))
    if config.im.federation:
        wanted.append(Opening("tcp", 5269, 5269, "XMPP servers"))
    if config.metrics:
        wanted.append(Opening("tcp", METRICS, METRICS, "figures for Prometheus", local=True))
    for text in config.network.allow_ports:
        port, protocol = text.split("/")
        wanted.append(Opening("udp" if protocol == "udp" else "tcp", int(port), int(port), "network.allow_ports"))
    return tuple(wanted)
