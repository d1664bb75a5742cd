"""The network of the virtual Pis: one bridge, one private subnet, one masquerade table."""

import ipaddress
import json
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError
from lanpi.virtual.record import STATE
from lanpi.virtual.shell import run

MULTICAST = "224.0.0.0/4"
BRIDGE = "lanpi0"
TABLE = "lanpi-virtual"
FIRST_HOST = 10  # addresses below are for the bridge and for whatever a test puts beside the Pis
_CANDIDATES = ("10.213.47.0/24", "10.181.93.0/24", "172.29.141.0/24", "192.168.241.0/24")
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


def choose_subnet(taken: list[str]) -> str:
    """The first of our subnets that overlaps none of this machine's routes.

    Args:
        taken: IPv4 networks in use, "10.0.0.0/8" style.

    Raises:
        LanpiError: MISSING when all of them do.
    """
    networks = [ipaddress.ip_network(network) for network in taken]
    for candidate in _CANDIDATES:
        if not any(ipaddress.ip_network(candidate).overlaps(network) for network in networks):
            return candidate
    raise LanpiError(
        f"no private subnet is free for virtual Pis: {', '.join(_CANDIDATES)} are all in use",
        exit_code=ExitCode.MISSING,
    )


def choose_address(subnet: str, taken: set[str]) -> str:
    """The lowest free address for a Pi.

    Raises:
        LanpiError: FAILED when the subnet is full.
    """
    for address in list(ipaddress.ip_network(subnet).hosts())[FIRST_HOST - 1 :]:
        if str(address) not in taken:
            return str(address)
    raise LanpiError("the subnet of the virtual Pis is full", next_step="Remove a virtual Pi: lanpi virtual down NAME")


def hardware_address(address: str) -> str:
    """The MAC address of the Pi at an IPv4 address: locally administered (02), then the address's bytes.

    The next Pi at that address has the same, so that no neighbour remembers a wrong one for seconds.
    """
    return "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))


def gateway(subnet: str) -> str:
    """The bridge's own address."""
    return str(next(ipaddress.ip_network(subnet).hosts()))


def parse_nameservers(text: str) -> tuple[str, ...]:
    """The nameservers of a resolv.conf that a Pi could reach: IPv4, and not this machine's loopback."""
    servers = [line.split()[1] for line in text.splitlines() if line.startswith("nameserver ")]
    usable = []
    for server in servers:
        try:
            address = ipaddress.ip_address(server)
        except ValueError:
            continue
        if address.version == 4 and not address.is_loopback:
            usable.append(server)
    return tuple(usable)


def upstream_nameservers() -> tuple[str, ...]:
    """This machine's own nameservers, looked up behind a loopback stub where there is one.

    Raises:
        LanpiError: MISSING when none is known.
    """
    for path in (
        "/etc/resolv.conf",
        "/run/systemd/resolve/resolv.conf",
        "/run/NetworkManager/no-stub-resolv.conf",
    ):
        try:
            found = parse_nameservers(Path(path).read_text())
        except FileNotFoundError:
            continue
        if found:
            return found
    raise LanpiError(
        "this machine has no nameserver that a virtual Pi can use (only its own loopback address)",
        next_step="Add your network's nameserver to /etc/resolv.conf",
        exit_code=ExitCode.MISSING,
    )


def ensure() -> str:
    """Make the network where it is not there and return its subnet. Hold the global lock."""
    memory = STATE / "network.json"
    if memory.exists():
        subnet = str(json.loads(memory.read_text())["subnet"])
    else:
        subnet = choose_subnet(_routes())
        STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = {"subnet": subnet, "ip_forward": _FORWARD.read_text().strip()}
        temporary = memory.with_suffix(".new")
        temporary.write_text(json.dumps(before))
        temporary.replace(memory)
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    # Packets leave through this machine's uplink, which may carry less than Ethernet's 1500 bytes.
    run(["ip", "link", "set", BRIDGE, "mtu", str(uplink_mtu()), "up"])
    run(
        [
            "ip",
            "address",
            "replace",
            f"{gateway(subnet)}/{ipaddress.ip_network(subnet).prefixlen}",
            "dev",
            BRIDGE,
        ]
    )
    _FORWARD.write_text("1")
    # Not multicast: where bridged packets pass the IP tables (bridge-nf-call-iptables), mDNS from one Pi would reach
    # another as if it came from this machine and from any port, and be ignored.
    # Declaring and deleting the table first makes the whole load idempotent and atomic (nft -f).
    rules = (
        f"table ip {TABLE}\ndelete table ip {TABLE}\n"
        f"table ip {TABLE} {{\nchain postrouting {{\ntype nat hook postrouting priority 100;\n"
        f"ip saddr {subnet} ip daddr != {{ {subnet}, {MULTICAST} }} masquerade\n}}\n}}\n"
    )
    run(["nft", "-f", "-"], stdin=rules)
    return subnet


def uplink_mtu_of(routes: str, links: dict[str, int]) -> int:
    """The MTU of the device that carries the default route; 1500 when there is none.

    Args:
        routes: JSON of ``ip -json route show default``.
        links: device -> MTU in bytes.
    """
    devices = [route.get("dev", "") for route in json.loads(routes or "[]")]
    return min((links[device] for device in devices if device in links), default=1500)


def uplink_mtu() -> int:
    """The MTU in bytes of this machine's way out."""
    links = {
        path.name: int((path / "mtu").read_text())
        for path in Path("/sys/class/net").iterdir()
        if (path / "mtu").exists()
    }
    return min(uplink_mtu_of(run(["ip", "-json", "-4", "route", "show", "default"]), links), 1500)


def _routes() -> list[str]:
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]")
    return [route["dst"] for route in routes if "/" in route["dst"]] + [
        f"{route['dst']}/32" for route in routes if route["dst"] != "default" and "/" not in route["dst"]
    ]


def remove() -> None:
    """Take the network away and put ip_forward back. Hold the global lock; no Pi may be left."""
    memory = STATE / "network.json"
    if not memory.exists():
        return
    run(["nft", "-f", "-"], stdin=f"table ip {TABLE}\ndelete table ip {TABLE}\n")
    if Path(f"/sys/class/net/{BRIDGE}").exists():
        run(["ip", "link", "delete", BRIDGE])
    _FORWARD.write_text(json.loads(memory.read_text())["ip_forward"])
    memory.unlink()
