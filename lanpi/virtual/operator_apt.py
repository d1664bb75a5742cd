"""Where this machine gets its packages from, so that virtual Pis get theirs from the same place."""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lanpi.errors import ExitCode, LanpiError
from lanpi.virtual.shell import run

# What decides whether and how a mirror is reached and believed; nothing else of the
# operator's apt.conf is the Pi's business.
_CARRIED = re.compile(r"^Acquire::(Check-Valid-Until|Check-Date|Retries|ForceIPv[46]|(https?|ftp)::.+)$")
_LINE = re.compile(r'^(?P<key>\S+) "(?P<value>.*)";$')
_FIELDS = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(LABEL)"


@dataclass(frozen=True)
class OperatorApt:
    """This machine's package sources.

    Attributes:
        archive: address of the Debian archive (suites like trixie and trixie-updates).
        security: address of the security archive (trixie-security).
        options: apt.conf lines that virtual Pis need to reach and believe these.
        certificates: extra authorities (PEM) that this machine trusts.
    """

    archive: str
    security: str
    options: tuple[str, ...]
    certificates: tuple[str, ...]


def parse_archives(targets: str) -> tuple[str, str]:
    """The archive and the security archive out of ``apt-get indextargets`` lines.

    Args:
        targets: lines of address|release|component|origin|label.

    Raises:
        LanpiError: MISSING when one of them is not there.
    """
    archive = security = ""
    for line in targets.splitlines():
        address, release, component, origin, label = (*line.split("|"), "", "", "", "", "")[:5]
        if component != "main" or not address.startswith(("http://", "https://")):
            continue
        # Without package lists apt knows no origin and leaves the placeholder.
        if origin not in ("Debian", "") and not origin.startswith("$("):
            continue
        if label == "Debian-Security" or release.endswith("-security"):
            security = security or address
        elif not release.endswith(("-backports", "-backports-sloppy")):
            archive = archive or address
    if not archive or not security:
        lacking = "Debian archive" if not archive else "Debian security archive"
        raise LanpiError(
            f"this machine's apt has no {lacking}, so a virtual Pi has no source for its packages",
            next_step="Add it to /etc/apt/sources.list.d, then run: apt-get update",
            exit_code=ExitCode.MISSING,
        )
    return archive.rstrip("/"), security.rstrip("/")


def parse_options(dump: str) -> tuple[str, ...]:
    """The apt.conf lines to carry over, out of ``apt-config dump``.

    A proxy on this machine's loopback is left out: the Pi could not reach it.
    """
    kept = []
    for line in dump.splitlines():
        match = _LINE.match(line)
        if not match or not match["value"] or not _CARRIED.match(match["key"]):
            continue
        if "::Proxy" in match["key"] and _is_loopback(match["value"]):
            continue
        kept.append(line)
    return tuple(kept)


def _is_loopback(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def read_operator_apt() -> OperatorApt:
    """Ask this machine's apt.

    Raises:
        LanpiError: MISSING when it knows no Debian archive.
    """
    archive, security = parse_archives(run(["apt-get", "indextargets", "--format", _FIELDS, "Created-By: Packages"]))
    options = list(parse_options(run(["apt-config", "dump"])))
    for scheme in ("http", "https"):
        proxy = os.environ.get(f"{scheme}_proxy", "")
        already = any(line.startswith(f"Acquire::{scheme}::Proxy ") for line in options)
        if proxy and not already and not _is_loopback(proxy):
            options.append(f'Acquire::{scheme}::Proxy "{proxy}";')
    extra = sorted(Path("/usr/local/share/ca-certificates").glob("**/*.crt"))
    return OperatorApt(archive, security, tuple(options), tuple(path.read_text() for path in extra))
