"""The ports that lanpi's services answer on: what the roles declare, for firewall, preflight and the summary."""

from dataclasses import dataclass
from typing import Literal

from lanpi.config.model import Config
from lanpi.deploy.declaration import PortEntry
from lanpi.deploy.expressions import holds
from lanpi.deploy.roles import declarations


@dataclass(frozen=True)
class Opening:
    """Ports that the network may reach.

    Attributes:
        protocol: tcp or udp.
        first, last: the range, equal for one port.
        service: what answers there, for people.
        local: only for addresses of the local network.
        shared: it is no trouble when another process is there already.
    """

    protocol: Literal["tcp", "udp"]
    first: int
    last: int
    service: str
    local: bool = False
    shared: bool = False

    @property
    def range(self) -> str:
        """As nftables writes it: "443" or "49152-49251"."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def declared_ports() -> dict[str, PortEntry]:
    """Every port that a role declares under some configuration: name -> entry."""
    return {entry.name: entry for declared in declarations().values() for entry in declared.ports}


def openings(config: Config, ssh_ports: tuple[int, ...] = (22,)) -> tuple[Opening, ...]:
    """What the firewall lets in under a configuration.

    Args:
        config: the configuration in effect.
        ssh_ports: where the machine's own SSH server listens; never closed.
    """
    wanted = [Opening("tcp", port, port, "SSH") for port in ssh_ports]
    for entry in declared_ports().values():
        if holds(entry.when, {"config": config}):
            last = entry.last or entry.first
            wanted.append(Opening(entry.protocol, entry.first, last, entry.service, entry.local, entry.shared))
    for text in config.network.allow_ports:
        port, protocol = text.split("/")
        name = "network.allow_ports"
        wanted.append(Opening("udp" if protocol == "udp" else "tcp", int(port), int(port), name, shared=True))
    return tuple(wanted)
