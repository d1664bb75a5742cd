"""What lanpi placed, and whether it is still so: files, firewall, the name, held packages."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from lanpi.pi.read.source import Machine

STATE = "/var/lib/lanpi/state.json"
FIREWALL = "/etc/lanpi/firewall.nft"


def drift(source: Machine) -> list[dict[str, str]]:
    """Files that are not what lanpi placed."""
    found = []
    for path, digest in sorted(json.loads(source.read_text(STATE) or "{}").get("digests", {}).items()):
        try:
            now = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except FileNotFoundError:
            found.append({"path": path, "state": "missing"})
            continue
        except PermissionError:  # not root: the check says so
            continue
        if now != digest:
            found.append({"path": path, "state": "changed"})
    return found


def firewall_same(source: Machine) -> bool | None:
    """Whether the kernel has the rules of lanpi's file: both are listed, one loaded in an empty network.

    Without what is in named sets, which change as connections come.
    """
    if not source.exists(FIREWALL):
        return None
    now = source.command("nft", "-s", "-t", "list", "table", "inet", "lanpi")
    wanted = source.command("unshare", "-n", "sh", "-c", f"nft -f {FIREWALL} && nft -s -t list table inet lanpi")
    if wanted is None or wanted[0] != 0 or now is None:
        return None
    return now == wanted


def resolves(source: Machine, domain: str) -> bool | None:
    """Whether the Pi itself finds its domain; a NAME.local needs no resolver of the Pi's own."""
    return None if domain.endswith(".local") else _found(source, domain)


def looks_up(source: Machine, uri: str) -> dict[str, Any] | None:
    """Whether the Pi can look up names at all, tried with the host of the mirror from which it takes its packages.

    Returns:
        ``name`` that was looked up, whether it was ``found``, and ``servers``: the ones that resolv.conf(5) names;
        None where the mirror is no host with a name.
    """
    host = re.fullmatch(r"https?://(?:[^/@]*@)?([A-Za-z0-9.-]*[A-Za-z][A-Za-z0-9-]*)(?::\d+)?(?:/.*)?", uri)
    found = _found(source, host[1]) if host else None
    if host is None or found is None:
        return None
    servers = re.findall(r"^nameserver\s+(\S+)", source.read_text("/etc/resolv.conf") or "", re.MULTILINE)
    return {"name": host[1], "found": found, "servers": servers}


def _found(source: Machine, name: str) -> bool | None:
    if not name:
        return None
    done = source.command("getent", "ahosts", name)
    return done is not None and done[0] == 0


def held(source: Machine) -> list[str]:
    """Packages that somebody held back."""
    done = source.command("apt-mark", "showhold")
    return done[1].split() if done and done[0] == 0 else []
