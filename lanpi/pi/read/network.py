"""Interfaces, addresses and ports in use."""

import json
import socket
import struct
from typing import Any

from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

TCP_LISTEN = "0A"  # include/net/tcp_states.h
UDP_UNCONNECTED = "07"  # the same table, TCP_CLOSE


def links(source: Source) -> list[dict[str, Any]]:
    addresses = _addresses(source)
    default = _default_routes(source)
    signals = _signals(source)
    found = []
    for name in source.names("/sys/class/net"):
        if name == "lo" or (not addresses.get(name) and name not in default):
            continue
        folder = f"/sys/class/net/{name}"
        wireless = source.exists(f"{folder}/wireless") or source.exists(f"{folder}/phy80211")
        found.append(
            {
                "name": name,
                "wireless": wireless,
                "up": (source.read_text(f"{folder}/operstate") or "").strip() in ("up", "unknown"),
                "addresses": addresses.get(name, []),
                "signal_dbm": signals.get(name),
                "default_route": name in default,
                "power_save": _power_save(source, name) if wireless else None,
            }
        )
    return found


def _addresses(source: Source) -> dict[str, list[str]]:
    told = source.command("ip", "-j", "address")
    if told is None or told[0] != 0:
        return {}
    return {
        link["ifname"]: [
            entry["local"]
            for entry in link.get("addr_info", [])
            if "local" in entry and entry.get("scope") != "link" and not entry["local"].startswith("169.254.")
        ]
        for link in json.loads(told[1])
        if "ifname" in link
    }


def _default_routes(source: Source) -> set[str]:
    four = [line.split() for line in (source.read_text("/proc/net/route") or "").splitlines()[1:]]
    six = [line.split() for line in (source.read_text("/proc/net/ipv6_route") or "").splitlines()]
    names = {fields[0] for fields in four if fields[1] == "00000000" and fields[7] == "00000000"}
    names |= {fields[9] for fields in six if fields[0] == "0" * 32 and fields[1] == "00"}
    return names - {"lo"}


def _signals(source: Source) -> dict[str, int]:
    found = {}
    for line in (source.read_text("/proc/net/wireless") or "").splitlines()[2:]:
        name, _, rest = line.partition(":")
        fields = rest.split()
        if len(fields) > 2:
            found[name.strip()] = int(float(fields[2]))
    return found


def _power_save(source: Source, name: str) -> bool | None:
    told = source.command("iw", "dev", name, "get", "power_save")
    if told is None or told[0] != 0:
        return None
    return told[1].strip().endswith("on")


def listeners(source: Source) -> list[dict[str, Any]]:
    sockets = []
    for protocol, table, state in (
        ("tcp", "tcp", TCP_LISTEN),
        ("tcp", "tcp6", TCP_LISTEN),
        ("udp", "udp", UDP_UNCONNECTED),
        ("udp", "udp6", UDP_UNCONNECTED),
    ):
        for line in (source.read_text(f"/proc/net/{table}") or "").splitlines()[1:]:
            fields = line.split()
            if fields[3] == state:
                address, _, port = fields[1].partition(":")
                sockets.append((protocol, _address(address), int(port, 16), fields[9]))
    holders = _socket_holders(source, {inode for *_, inode in sockets})
    found = [
        {"protocol": protocol, "address": address, "port": port, "process": holders.get(inode, "")}
        for protocol, address, port, inode in sockets
    ]
    return sorted(found, key=lambda each: (each["protocol"], each["port"], each["address"]))


def _address(hexadecimal: str) -> str:
    """An address of /proc/net/tcp: 32-bit words in the machine's byte order."""
    words = [int(hexadecimal[start : start + 8], 16) for start in range(0, len(hexadecimal), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, packed)


def _socket_holders(source: Source, inodes: set[str]) -> dict[str, str]:
    """Which process has which socket open; only root sees those of others."""
    found: dict[str, str] = {}
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    # Highest process first, so that a service started by socket activation is overwritten by its
    # oldest process, but never by the systemd (1) that opened the socket for it.
    for process in sorted((int(name) for name in source.names("/proc") if name.isdigit()), reverse=True):
        for descriptor in source.names(f"/proc/{process}/fd"):
            inode = wanted.get(source.link(f"/proc/{process}/fd/{descriptor}"))
            if inode is not None and (process != 1 or inode not in found):
                found[inode] = (source.read_text(f"/proc/{process}/comm") or "").strip()
    return found
