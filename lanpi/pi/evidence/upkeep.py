"""What lanpi placed and what needs regular care: files, firewall, certificate, packages, backup."""

import calendar
import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

from lanpi.pi.read.source import Machine

STATE = "/var/lib/lanpi/state.json"
BACKUP = "/var/lib/lanpi/backup/status.json"
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

    Without what is in the sets: that comes and goes with whoever knocks.
    """
    if not source.exists(FIREWALL):
        return None
    now = source.command("nft", "-s", "-t", "list", "table", "inet", "lanpi")
    wanted = source.command("unshare", "-n", "sh", "-c", f"nft -f {FIREWALL} && nft -s -t list table inet lanpi")
    if wanted is None or wanted[0] != 0 or now is None:
        return None
    return now == wanted


def certificate(source: Machine) -> dict[str, Any] | None:
    """The certificate that ejabberd.yml names."""
    named = re.search(r"^certfiles: \[([^,\]]+)", source.read_text("/etc/ejabberd/ejabberd.yml") or "", re.MULTILINE)
    path = named[1].strip() if named else "/etc/lanpi/tls/server.pem"
    done = source.command("openssl", "x509", "-in", path, "-noout", "-enddate", "-ext", "subjectAltName")
    end = re.search(r"notAfter=(.+) GMT", done[1]) if done else None
    if not done or not end:
        return None
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", done[1])
    not_after = calendar.timegm(time.strptime(end[1], "%b %d %H:%M:%S %Y"))
    return {"path": path, "not_after": float(not_after), "names": names}


def resolves(source: Machine, domain: str) -> bool | None:
    """Whether the Pi itself finds its domain; a NAME.local needs no resolver of the Pi's own."""
    if not domain or domain.endswith(".local"):
        return None
    done = source.command("getent", "hosts", domain)
    return done is not None and done[0] == 0


def held(source: Machine) -> list[str]:
    """Packages that are on hold."""
    done = source.command("apt-mark", "showhold")
    return done[1].split() if done and done[0] == 0 else []


def security(source: Machine) -> list[str]:
    """Packages with an upgrade from a security archive that apt would install."""
    done = source.command("apt-get", "-s", "-qq", "-o", "Debug::NoLocking=true", "upgrade")
    return re.findall(r"^Inst (\S+) .*[Ss]ecurity", done[1] if done else "", re.MULTILINE)


def backup(source: Machine) -> dict[str, str] | None:
    """What the last backup recorded about itself."""
    text = source.read_text(BACKUP)
    if text is None:
        return None
    try:
        known = json.loads(text)
        return {key: str(known.get(key) or "") for key in ("last_success", "last_verified", "last_error")}
    except (ValueError, AttributeError):
        return {"last_success": "", "last_verified": "", "last_error": f"{BACKUP} cannot be read"}


def log_bound(source: Machine) -> int | None:
    """logs.max_mb of the configuration in effect, bytes (200 MB where it is not said)."""
    text = source.read_text("/etc/lanpi/lanpi.yml")
    if text is None:
        return None
    found = re.search(r"^\s+max_mb:\s*(\d+)", text, re.MULTILINE)
    return int(found[1] if found else 200) * 1_000_000
