"""What the front door lets through: nginx's limits and the firewall's, from configuration and plan; pure.

The measure for all of them is a school: two thousand pupils behind one router, so one address, who open the chat
between two lessons, or come back all at once after a power cut. That much passes; one machine that does more is no
school. Whoever is over a limit waits or is refused for moments, never banned: bans are mod_fail2ban's.
"""

from dataclasses import dataclass

from lanpi.config.domain import is_public
from lanpi.config.model import Config
from lanpi.tuning.model import Plan

PEOPLE_PORTS = (80, 443, 3478, 5222, 5223, 8883)
"""What people's devices come to; each address's connections to all of them count together."""

HTTP_PORT, XMPP_PORT, RELAY_PORT = 5280, 5224, 5225
"""On loopback: ejabberd's HTTP, its TLS with the PROXY protocol, and nginx's own way to the latter."""

SSH_CONNECTIONS, SSH_PER_MINUTE, SSH_BURST = 64, 120, 120
"""Nobody needs more to look after a Pi; sshd itself lets in 10 to 100 that have not logged in (MaxStartups)."""

HEADER_SECONDS = 20
"""For the whole greeting and the whole head of a request (client_header_timeout, preread_timeout)."""
STALL_SECONDS = 30
"""Between two pieces of a body, or two pieces of an answer that are taken (client_body_timeout, send_timeout)."""
IDLE_SECONDS = 60
"""A browser's connection between two requests."""
ANSWER_SECONDS = 120
"""For ejabberd's answer; BOSH holds a request back for a minute (XEP-0124, wait)."""
WEBSOCKET_SECONDS = 330
"""ejabberd pings every 60 s and gives a WebSocket up after 300 (websocket_timeout): it shall be the one to end it."""
NEGOTIATION_SECONDS = 60
"""From a connection to a login (negotiation_timeout). A deadline, not a pause: a login costs up to 25 ms of processor,
and when two thousand come at once the last one of them has waited for half a minute."""
HSTS_SECONDS = 180 * 86_400

PEERS = """\
        "~^(?<v4>::ffff:[0-9.]+)$" $v4;
        "~^(?<link>fe80:.*)$" $link;
        "~^(?<net>([0-9a-f]+:){1,4})" $net;
        default $remote_addr;"""
"""Lines of nginx's maps from an address to whom it stands for: an IPv4 address, the /64 that an IPv6 customer has at
the least (RFC 6177), or a neighbour by its own address."""

CONNECTION_BYTES = 424
"""nginx sets a connection and its two events aside when it starts (ngx_connection_t 232, ngx_event_t 96 each)."""
WORKER_CONNECTIONS_MIN, WORKER_CONNECTIONS_MAX = 2048, 8192
"""Of 8,192 the table takes 3.5 MB: memory at rest may grow by ten in all."""
FILES_MORE = 512
"""Files that are being sent, sockets, threads."""


@dataclass(frozen=True)
class Limit:
    """How often an address may do something.

    Attributes:
        name: of nginx's zone.
        rate: as nginx writes it.
        burst: so many at once beyond the rate.
        why: the reason for both.
    """

    name: str
    rate: str
    burst: int
    why: str


LIMITS = (
    Limit("requests", "300r/s", 4000, "a page is some twenty requests; a school opens the chat within five minutes"),
    Limit("logins", "20r/s", 1000, "a login costs up to 25 ms of processor; those of a school queue for 50 s at most"),
    Limit("bosh", "200r/s", 1000, "a request each time something is said or heard, by those without a WebSocket"),
    Limit("uploads", "20r/s", 200, "a class sends its homework"),
    Limit("api", "60r/m", 60, "programs of admins; it checks passwords where no ban reaches"),
)


@dataclass(frozen=True)
class Guard:
    """What the firewall lets an address do at a group of ports.

    Attributes:
        name: of the group, in the names of the firewall's sets.
        tcp, udp: ports or ranges, as nftables writes them.
        connections: at the same time.
        per_minute: new ones, after ``burst`` at once.
    """

    name: str
    tcp: tuple[str, ...]
    udp: tuple[str, ...]
    connections: int
    per_minute: int
    burst: int


@dataclass(frozen=True)
class Door:
    """All that the templates of nginx, ejabberd and the firewall need to know."""

    passes: bool
    connections: int
    worker_connections: int
    open_files: int
    memory_high_bytes: int | None
    api: bool
    redirects: bool
    hsts_seconds: int
    guards: tuple[Guard, ...]
    limits: tuple[Limit, ...] = LIMITS
    peers: str = PEERS
    http_port: int = HTTP_PORT
    xmpp_port: int = XMPP_PORT
    relay_port: int = RELAY_PORT
    header_seconds: int = HEADER_SECONDS
    stall_seconds: int = STALL_SECONDS
    idle_seconds: int = IDLE_SECONDS
    answer_seconds: int = ANSWER_SECONDS
    websocket_seconds: int = WEBSOCKET_SECONDS
    negotiation_seconds: int = NEGOTIATION_SECONDS

    def burst(self, name: str) -> int:
        """Of that limit."""
        return next(limit.burst for limit in self.limits if limit.name == name)


def front_door(config: Config, plan: Plan, domain: str, ssh: tuple[int, ...], *, passes: bool, tagged: bool) -> Door:
    """Decide.

    Args:
        config: the configuration in effect.
        plan: the limits decided for the Pi.
        domain: the XMPP domain.
        ssh: ports of the machine's SSH server.
        passes: nginx hands a connection from its stream to its web server (ngx_stream_pass_module, 1.25.5); else it
            makes another one to itself.
        tagged: ejabberd tells lanpi's own admin socket from the other listeners; else it goes by an address that a
            program on the Pi could claim, so the HTTP API is served only where the firewall keeps those away.
    """
    # Half of the files that ejabberd may open: one address never takes all of them.
    connections = min(config.network.connections_per_address, plan.server.open_files // 2)
    per_session = 2 if passes else 4
    wanted = per_session * plan.ejabberd.sessions
    worker_connections = max(WORKER_CONNECTIONS_MIN, min(wanted, WORKER_CONNECTIONS_MAX))
    public = config.tls.mode != "local" and is_public(domain)
    per_minute = config.network.new_connections_per_minute
    people = tuple(map(str, PEOPLE_PORTS))
    return Door(
        passes=passes,
        connections=connections,
        worker_connections=worker_connections,
        open_files=worker_connections + FILES_MORE,
        memory_high_bytes=plan.server.memory_high_bytes // 2 if plan.server.memory_high_bytes else None,
        api=config.im.http_api and (tagged or config.network.firewall),
        redirects=public,
        hsts_seconds=HSTS_SECONDS if public else 0,
        guards=(
            Guard("people", people, ("3478",), connections, per_minute, connections),
            Guard("ssh", tuple(map(str, ssh)), (), SSH_CONNECTIONS, SSH_PER_MINUTE, SSH_BURST),
        ),
    )
