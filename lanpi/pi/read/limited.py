"""Whom something keeps out at the moment: ejabberd's bans after wrong passwords, and the firewall's limits."""

import calendar
import json
import re
import time
from typing import Any

from lanpi.pi.read.source import Machine

LOG = "/var/log/ejabberd/ejabberd.log"
TAIL_BYTES = 512 * 1024
"""A ban lasts an hour, and each try of a banned address is a line: the end of the log is enough."""
BAN_SECONDS = 3600.0
"""c2s_auth_ban_lifetime in templates/etc/ejabberd/ejabberd.yml.j2."""
TABLE = ("inet", "lanpi")
SETS = re.compile(r"(?:^|_)limited[46]?$")
"""The names of the sets in which the firewall keeps the addresses that it holds back: "clients_limited4"."""
MOST = 50

# mod_fail2ban, log_and_disconnect: "Connection attempt from blacklisted IP A: Too many (20) failed authentications
# from this IP address (A). The address will be unblocked at 12:34:56 25.11.2026 UTC".
_BANNED = re.compile(
    r"blacklisted IP (\S+): Too many .* unblocked at (\d\d:\d\d:\d\d \d\d\.\d\d\.\d{4}) UTC", re.DOTALL
)
_UNBANNED = re.compile(r"API call unban_ip .*?address[\"', =>{<]*([\da-fA-F.:]+)")
_STARTED = re.compile(r"ejabberd \S+ is started in the node")


def limited(source: Machine) -> list[dict[str, Any]]:
    """Who is kept out: ``who`` (an address), ``by`` ("ejabberd", or a set of the firewall), ``since`` and ``until``
    in seconds since the epoch, None where it cannot be told. Only root sees any.
    """
    return bans(_tail(LOG), source.epoch()) + firewall(source)


def _tail(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - to seek in
            file.seek(0, 2)
            file.seek(max(file.tell() - TAIL_BYTES, 0))
            return file.read().decode(errors="replace")
    except OSError:  # no ejabberd here, or not root
        return ""


def bans(log: str, now: float) -> list[dict[str, Any]]:
    """ejabberd's bans that are in force, out of its log.

    A start of ejabberd and ``unban_ip`` lift them; both are in the log too.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in log.splitlines():
        if banned := _BANNED.search(text):
            until = float(calendar.timegm(time.strptime(banned[2], "%H:%M:%S %d.%m.%Y")))
            who = plain(banned[1])
            since = found[who]["since"] if who in found else until - BAN_SECONDS
            found[who] = {"who": who, "by": "ejabberd", "since": since, "until": until}
        elif _STARTED.search(text):
            found.clear()
        elif lifted := _UNBANNED.search(text):
            found.pop(plain(lifted[1]), None)
    return [each for each in found.values() if each["until"] > now][:MOST]


def plain(address: str) -> str:
    """An address without what marks it as IPv4 in IPv6 (RFC 4291, 2.5.5.2)."""
    return re.sub(r"^::ffff:(?=[\d.]+$)", "", address.strip(), flags=re.IGNORECASE)


def firewall(source: Machine) -> list[dict[str, Any]]:
    """Addresses in those sets of lanpi's table in which it keeps whom it holds back, by their names."""
    told = source.command("nft", "-j", "list", "table", *TABLE)
    try:
        listed = json.loads(told[1])["nftables"] if told and told[0] == 0 else []
    except (ValueError, KeyError):
        return []
    return in_sets([entry["set"] for entry in listed if "set" in entry], source.epoch())


def in_sets(sets: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """The elements of such sets as ``nft -j`` tells them (libnftables-json(5), SET).

    Other sets count everybody's connections, and being in one of them limits nobody.
    """
    found = []
    for each in sets:
        for element in each.get("elem", []) if SETS.search(str(each["name"])) else []:
            inside = element.get("elem", element) if isinstance(element, dict) else {"val": element}
            value, expires = _address(inside.get("val")), inside.get("expires")
            lasts = inside.get("timeout", each.get("timeout"))
            until = None if expires is None else now + float(expires)
            since = None if until is None or not lasts else until - float(lasts)
            if value:
                found.append({"who": plain(value), "by": str(each["name"]), "since": since, "until": until})
    return found[:MOST]


def _address(value: Any) -> str:
    """An address, or a network as "2001:db8::/64"; "" for anything else."""
    if isinstance(value, dict) and "prefix" in value:
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    return value if isinstance(value, str) else ""
