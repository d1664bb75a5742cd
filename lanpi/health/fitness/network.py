"""How the Pi is connected, and whether the ports that lanpi needs are free."""

from collections.abc import Iterator
from dataclasses import replace

from lanpi.config.model import Config
from lanpi.deploy.ports import openings
from lanpi.facts.model import Facts, Link, Listener
from lanpi.health.finding import Finding, blocker, ok, warning
from lanpi.health.fitness.shared import as_preflight
from lanpi.health.judge.board import link as judge_link
from lanpi.health.table import link_now

# What Debian's packages run; where such a package is installed, its own finding says enough.
PROCESS_PACKAGES = {"nginx": "nginx", "redis-server": "redis-server", "beam.smp": "ejabberd", "epmd": "ejabberd"}
# What listens for an earlier lanpi install; systemd holds the sockets it activates.
OWN_PROCESSES = ("beam.smp", "epmd", "nginx", "redis-server", "postgres", "prometheus-node", "systemd", "")


def findings(facts: Facts, config: Config) -> Iterator[Finding]:
    """Wired or Wi-Fi, and each port that somebody else holds."""
    yield _link(facts, config)
    needed = needed_ports(config)
    clashes = sorted({clash for listener in facts.listeners if (clash := _clash(listener, facts, needed))})
    for port, protocol, process, service in clashes:
        yield blocker(
            f"port-{port}-{protocol}",
            f"port {port}/{protocol} ({service}) is used by {process or 'a process that only root can see'}",
            f"Stop that process or move it to another port. Show it: sudo ss -lnp 'sport = :{port}'",
        )
    if not clashes:
        yield ok("ports", f"the {len(needed)} ports that lanpi needs are free or used by lanpi")


def needed_ports(config: Config) -> dict[tuple[str, int], str]:
    """(protocol, port) -> service, for what lanpi's services listen on under a configuration."""
    needed = {("tcp", 6379): "Redis"}
    if config.database == "postgresql":
        needed["tcp", 5432] = "PostgreSQL"
    for opening in openings(config, ssh_ports=()):
        # mDNS is shared by design, relayed calls take any free port of their range, and what the
        # user lets in belongs to another program.
        if not opening.shared:
            for port in range(opening.first, opening.last + 1):
                needed[opening.protocol, port] = opening.service
    return needed


def _clash(listener: Listener, facts: Facts, needed: dict[tuple[str, int], str]) -> tuple[int, str, str, str] | None:
    service = needed.get((listener.protocol, listener.port))
    if service is None:
        return None
    if facts.installed is not None and listener.process in OWN_PROCESSES:
        return None
    if PROCESS_PACKAGES.get(listener.process) in facts.packages.installed:
        return None
    # Debian's PostgreSQL is shared: lanpi adds a database to the existing cluster.
    if service == "PostgreSQL" and listener.process == "postgres":
        return None
    return listener.port, listener.protocol, listener.process, service


def _link(facts: Facts, config: Config) -> Finding:
    up = [link for link in facts.links if link.up and link.addresses]
    # The interfaces that traffic leaves by; without a default route, all that have an address.
    used = [link for link in up if link.default_route] or up
    wired = [link for link in used if not link.wireless]
    if wired:
        return ok("network", f"wired ({wired[0].name})")
    if not used:
        return warning("network", "no network interface has an address", "See which interfaces there are: ip address")
    return _wifi(used[0], config)


def _wifi(link: Link, config: Config) -> Finding:
    signal = f", {link.signal_dbm} dBm" if link.signal_dbm is not None else ""
    found = judge_link(link_now(link))
    saving = (
        "power saving stays on (network.wifi_power_save), so messages arrive late"
        if config.network.wifi_power_save
        else "lanpi switches Wi-Fi power saving off"
    )
    text = f"Wi-Fi ({link.name}{signal}){', with a weak signal' if found.is_bad else ''}"
    return replace(as_preflight(found, "network"), text=text, fix=f"A cable is more reliable; {saving}")
