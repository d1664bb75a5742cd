"""Checks of what needs regular care: clock, names, certificate, files, packages, logs, backup."""

from lanpi.health.check import Check
from lanpi.health.evidence import Evidence
from lanpi.health.finding import OK, Finding, bad, skipped
from lanpi.health.readings import Service
from lanpi.pi.read.certificate import OWN


def _domain(evidence: Evidence) -> str:
    return evidence.readings.installed.domain if evidence.readings.installed else ""


def _unit(evidence: Evidence, name: str) -> Service | None:
    return next((each for each in evidence.readings.services if each.unit == name), None)


def address(evidence: Evidence) -> Finding:
    """Whether the Pi's address is still the one in its own certificate."""
    found = evidence.readings.certificate
    if found is None or found.configured is None or found.configured.path != OWN or not found.names:
        return skipped("the certificate is not the Pi's own and names no address")
    now = [
        address
        for link in evidence.readings.links
        if link.default_route
        for address in link.addresses
        if ":" not in address
    ]
    changed = [address for address in now if address not in found.names]
    if not changed:
        return OK
    return bad(
        "warning",
        "the Pi's address changed after its certificate was made",
        (f"now {', '.join(changed)}",),
        "systemctl restart lanpi-tls.service; give the Pi a fixed address in the router",
        "certificate",
    )


def names(evidence: Evidence) -> Finding:
    """Whether the Pi can look up names, and others find its own."""
    looked_up = evidence.looked_up
    if looked_up and not looked_up.found:
        servers = ", ".join(looked_up.servers) or "none"
        return bad(
            "warning",
            f"the Pi cannot look up names in the DNS: {looked_up.name} was not found",
            (f"getent ahosts {looked_up.name}: no answer", f"name servers in /etc/resolv.conf: {servers}"),
            "Check the router and /etc/resolv.conf; without DNS there are no upgrades and no offsite backups",
        )
    domain = _domain(evidence)
    if domain.endswith(".local"):
        return _mdns(evidence, domain)
    if evidence.domain_resolves is False:
        return bad(
            "warning",
            f"{domain} has no address in the DNS",
            (f"getent ahosts {domain}: no answer",),
            "Add one at your DNS provider or in your router",
        )
    return OK


def _mdns(evidence: Evidence, domain: str) -> Finding:
    avahi = _unit(evidence, "avahi-daemon.service")
    if avahi is None or evidence.readings.moved:
        return skipped("mDNS is switched off")
    beside = _unit(evidence, "lanpi-name.service")
    if beside is not None and beside.active != "active":
        return bad(
            "warning",
            f"{domain} points to another machine",
            (f"{beside.unit}: {beside.active}",),
            f"Switch off the old Pi, or take the name {domain} from the machine that has it",
            "restart",
            beside.unit,
        )
    if avahi.active == "active" or avahi.enabled == "masked":
        return OK
    return bad(
        "warning",
        f"{domain} cannot be found: Avahi is not running",
        (f"{avahi.unit}: {avahi.active}",),
        f"systemctl restart {avahi.unit}",
        "restart",
        avahi.unit,
    )


def firewall(evidence: Evidence) -> Finding:
    """Whether the kernel's rules are those of lanpi's file."""
    if evidence.firewall_same is None:
        return skipped("lanpi has not set up a firewall")
    if evidence.firewall_same:
        return OK
    return bad(
        "critical",
        "the firewall rules are not the ones that lanpi placed",
        ("nft list table inet lanpi differs",),
        "systemctl restart lanpi-firewall.service",
        "restart",
        "lanpi-firewall.service",
    )


def drift(evidence: Evidence) -> Finding:
    """Whether the files are as lanpi placed them."""
    if not evidence.drift:
        return OK
    shown = tuple(f"{each.path}: {each.state}" for each in evidence.drift[:8])
    return bad(
        "warning",
        "files have changed since lanpi placed them",
        shown,
        "`lanpi doctor --diff` shows the changes; `lanpi install` undoes them",
        "" if evidence.readings.moved else "converge",
    )


def packages(evidence: Evidence) -> Finding:
    """Whether packages are held back."""
    if evidence.held:
        return bad(
            "warning",
            "packages are held back from upgrades",
            evidence.held[:8],
            f"apt-mark unhold {' '.join(evidence.held[:8])}",
        )
    return OK


CHECKS = (
    Check("moved", "Moved", "whether this Pi's server has moved to another one", "critical"),
    Check("installed", "Install", "lanpi is installed completely", "critical"),
    Check("clock", "Clock", "the Pi's clock against this machine's, and what keeps it right", "critical"),
    Check(
        "certificate",
        "Certificate",
        "valid for the domain, does not expire soon, and is shown to clients",
        "critical",
        needs_root=True,
    ),
    Check("packages", "Packages", "no package is half configured or held back", "critical", packages),
    Check("firewall", "Firewall", "the kernel's rules match lanpi's file", "critical", firewall, needs_root=True),
    Check("drift", "Files", "the files that lanpi placed are unchanged", "warning", drift, needs_root=True),
    Check("names", "Names", "the domain can be found by mDNS or DNS, and the Pi finds others", "warning", names),
    Check("address", "Address", "the Pi's address is the one in its certificate", "warning", address, needs_root=True),
    Check("security", "Security upgrades", "no security upgrade is pending", "warning"),
    Check("reboot", "Reboot", "no upgrade or setting waits for a reboot", "warning"),
    Check("limits", "Limits", "the limits were made for this Pi", "warning"),
    Check("logs", "Log space", "all logs together within logs.max_mb", "critical", needs_root=True),
    Check(
        "backup",
        "Backup",
        "a backup was made and verified recently, its key is kept elsewhere",
        "critical",
        needs_root=True,
    ),
)
