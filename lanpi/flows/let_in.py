"""Who is kept out by a limit, and how to let them in again."""

import ipaddress
import json
from dataclasses import dataclass
from typing import Literal

from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.records import build_record
from lanpi.hosts.base import Host
from lanpi.im.admin import Server
from lanpi.pi.read.limited import TABLE
from lanpi.ship.bundle import broken_reading, run_program


@dataclass(frozen=True)
class Limited:
    """An address that something keeps out at the moment.

    Attributes:
        address: IPv4, IPv6, or a /64 network.
        by: connections (too many, or too many new ones: the firewall), or passwords (wrong ones: mod_fail2ban).
        ports: the group of ports: people or ssh.
        since_epoch, until_epoch: seconds; the firewall's limits let in whatever is below them all the time, and
            remember for an hour who was above.
        refused: packets that were dropped, or wrong passwords.
    """

    address: str
    by: Literal["connections", "passwords"]
    ports: str
    since_epoch: float
    until_epoch: float
    refused: int


def read_limited(host: Host) -> tuple[Limited, ...]:
    """Who is kept out.

    Raises:
        LanpiError: FAILED when it cannot be read.
    """
    done = run_program(host, "lanpi.pi.read.limited", root=True)
    if done.exit_status != 0:
        raise broken_reading(host, done, f"exit status {done.exit_status}")
    return tuple(build_record(Limited, entry, "limited") for entry in json.loads(done.stdout))


def commands(address: str) -> list[list[str]]:
    """What empties the firewall's memory of an address; each fails where there is nothing to forget.

    Connections that it still holds count on: those end when it closes them.

    Raises:
        LanpiError: BAD_INPUT for what is no address.
    """
    try:
        parsed = ipaddress.ip_interface(address)
    except ValueError as error:
        raise LanpiError(
            f"{address!r} is not an IP address",
            next_step="Give one such as 192.168.1.20; `lanpi doctor` names those that are kept out",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    element = str(parsed.ip)
    if parsed.version == 6 and not parsed.ip.is_link_local:
        element = str(ipaddress.ip_network((parsed.ip, 64), strict=False).network_address)
    return [
        ["nft", "delete", "element", *TABLE, f"{ports}_{memory}{parsed.version}", "{", element, "}"]
        for ports in ("people", "ssh")
        for memory in ("limited", "rate")
    ]


def let_in(host: Host, server: Server, address: str) -> bool:
    """Let an address in again, wherever it is kept out.

    Args:
        host: the Pi.
        server: its messaging server, which lifts a ban.
        address: IPv4, IPv6, or a network as :class:`Limited` names it.

    Returns:
        Whether anything kept it out.

    Raises:
        LanpiError: BAD_INPUT for what is no address, and what ``Server.call`` raises.
    """
    forgotten = [host.run(command, root=True, check=False).exit_status == 0 for command in commands(address)]
    parsed = ipaddress.ip_interface(address)
    # ejabberd's listeners see IPv4 as ::ffff:1.2.3.4.
    known = f"::ffff:{parsed.ip}/128" if parsed.version == 4 else str(parsed.network)
    return bool(server.call("unban_ip", address=known)) or any(forgotten)
