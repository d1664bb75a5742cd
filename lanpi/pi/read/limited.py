"""Whom something keeps out at the moment: the firewall's limits, and mod_fail2ban's bans."""

import calendar
import ipaddress
import json
import re
import sys
import time
from typing import Any

from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

TABLE = ("inet", "lanpi")
_SECOND = r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)"
_SET = re.compile(r"(?P<ports>\w+)_limited[46]")
LOG = "/var/log/ejabberd/ejabberd.log"
# mod_fail2ban tells nobody whom it bans, but in its log: once when it begins, and at each try after that.
_BANNED = re.compile(
    rf"^{_SECOND}.*blacklisted IP \S+: .*\((\d+)\) failed authentications from this IP address "
    r"\(([\da-fA-F.:]+)\)\. The address will be unblocked at (\d\d:\d\d:\d\d \d\d\.\d\d\.\d{4}) UTC"
)
_UNBANNED = re.compile(rf"^{_SECOND}.*API call unban_ip .*<<\"address\">>,<<\"([\da-fA-F.:]+)")


def collect(source: Machine | Recorded, now: float) -> list[dict[str, Any]]:
    """Who is kept out, by what, and since when.

    Args:
        source: the machine, as root.
        now: its clock, in seconds since the epoch.

    Returns:
        ``address`` (a network for IPv6 customers), ``by`` ("connections" or "passwords"), ``ports`` ("people", "ssh"),
        ``since_epoch``, ``until_epoch``, ``refused`` (packets of the firewall's, wrong passwords of a ban).
    """
    told = source.command("nft", "-j", "list", "table", *TABLE)
    log = source.read_text(LOG) or ""
    return connections(told[1] if told and told[0] == 0 else "", now) + bans(log, now)


def connections(listing: str, now: float) -> list[dict[str, Any]]:
    """From ``nft -j list table``: an address stays in a set for an hour after it was over a limit the first time."""
    found = []
    for entry in json.loads(listing)["nftables"] if listing else ():
        kept = entry.get("set", {})
        name = _SET.fullmatch(kept.get("name", ""))
        for element in (kept.get("elem") or ()) if name else ():
            known = element["elem"]
            left = float(known.get("expires", 0))
            found.append(
                {
                    "address": _network(str(known["val"])),
                    "by": "connections",
                    "ports": name["ports"] if name else "",
                    "since_epoch": now - (float(kept.get("timeout", 0)) - left),
                    "until_epoch": now + left,
                    "refused": int(known.get("counter", {}).get("packets", 0)),
                }
            )
    return found


def _network(text: str) -> str:
    """What the firewall counts as one: an IPv4 address, a neighbour's own, else the /64."""
    address = ipaddress.ip_address(text)
    return text if address.version == 4 or address.is_link_local else f"{text}/64"


def bans(log: str, now: float) -> list[dict[str, Any]]:
    """From ejabberd's log: who is banned for wrong passwords and was not let in again."""
    found: dict[str, dict[str, Any]] = {}
    for line in log.splitlines():
        if lifted := _UNBANNED.match(line):
            found.pop(_plain(lifted[2]), None)
        if (banned := _BANNED.match(line)) is None:
            continue
        address = _plain(banned[3])
        until = float(calendar.timegm(time.strptime(banned[4], "%H:%M:%S %d.%m.%Y")))
        if until <= now:
            continue
        when = float(calendar.timegm(time.strptime(banned[1].replace("T", " "), "%Y-%m-%d %H:%M:%S")))
        first = found.get(address)
        found[address] = {
            "address": address,
            "by": "passwords",
            "ports": "people",
            "since_epoch": first["since_epoch"] if first and first["until_epoch"] > when else when,
            "until_epoch": until,
            "refused": int(banned[2]),
        }
    return list(found.values())


def _plain(address: str) -> str:
    return address.lower().removeprefix("::ffff:")


def main() -> None:
    """Command line: nothing; prints JSON."""
    json.dump(collect(Machine(), time.time()), sys.stdout)
