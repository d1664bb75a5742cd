"""Checks of what needs regular care: clock, names, certificate, files, packages, logs, backup."""

from datetime import datetime

from lanpi.doctor.evidence import Evidence
from lanpi.doctor.result import NO_ROOT, OK, Check, Result, skipped

DAY = 86_400.0
CLOCK_SECONDS = 60.0
BACKUP_DAYS, VERIFIED_DAYS = 8, 35
BACKUP_TIMER = "lanpi-backup.timer"


def _domain(evidence: Evidence) -> str:
    return evidence.facts.installed.domain if evidence.facts.installed else ""


def installed(evidence: Evidence) -> Result:
    found = evidence.facts.installed
    if found is None:
        return Result("critical", "lanpi is not installed on this Pi", (), "lanpi install", "converge")
    if not found.finished:
        return Result("critical", "an install did not finish", (f"begun at {found.when}",), "lanpi install", "converge")
    return OK


def clock(evidence: Evidence) -> Result:
    off = evidence.facts.clock.epoch_seconds - evidence.asked_epoch
    if abs(off) > CLOCK_SECONDS:
        way = "ahead" if off > 0 else "behind"
        return Result("critical", f"the clock is {abs(off):.0f} s {way}: certificates and message times go wrong",
                      (f"Pi: {evidence.facts.clock.epoch_seconds:.0f}, this machine: {evidence.asked_epoch:.0f}",),
                      "`lanpi doctor --fix` sets it from this machine", "clock")  # fmt: skip
    if evidence.facts.clock.synchronised is False and not evidence.facts.hardware.is_virtual:
        service = evidence.facts.clock.time_service
        if not service:
            return Result("warning", "nothing keeps the clock right", ("no time service is running",),
                          "systemctl enable --now systemd-timesyncd", "time-service")  # fmt: skip
        return Result("warning", "the clock has not been set from the network", (f"{service} gets no answer",),
                      "Check the internet connection; timedatectl timesync-status shows the time server")  # fmt: skip
    return OK


def certificate(evidence: Evidence) -> Result:
    found = evidence.certificate
    local = found is not None and found.path.startswith("/etc/lanpi/tls/")
    fix = "systemctl restart lanpi-tls.service" if local else "Replace the certificate, then run lanpi install"
    action = "certificate" if local else ""
    if found is None and not evidence.facts.is_root:
        return skipped(NO_ROOT)
    if found is None:
        return Result("critical", "there is no readable certificate", (), "lanpi install", "converge")
    days = (found.not_after - evidence.asked_epoch) / DAY
    shown = (f"{found.path}: valid for {days:.1f} days, for {', '.join(found.names)}",)
    if days <= 0:
        return Result("critical", "the certificate has expired", shown, fix, action)  # type: ignore[arg-type]
    domain = _domain(evidence)
    if domain and domain not in found.names:
        return Result("critical", f"the certificate is not for {domain}", shown, fix, action)  # type: ignore[arg-type]
    if days < 14:
        return Result("warning", "the certificate expires soon", shown, fix, action)  # type: ignore[arg-type]
    return OK


def address(evidence: Evidence) -> Result:
    found = evidence.certificate
    if found is None or not found.path.startswith("/etc/lanpi/tls/"):
        return skipped("the certificate is not the Pi's own and names no address")
    now = [
        address
        for link in evidence.facts.links
        if link.default_route
        for address in link.addresses
        if ":" not in address
    ]
    changed = [address for address in now if address not in found.names]
    if not changed:
        return OK
    return Result("warning", "the Pi's address changed after its certificate was made", (f"now {', '.join(changed)}",),
                  "systemctl restart lanpi-tls.service; give the Pi a fixed address in the router",
                  "certificate")  # fmt: skip


def names(evidence: Evidence) -> Result:
    domain = _domain(evidence)
    avahi = evidence.units.get("avahi-daemon.service")
    if domain.endswith(".local"):
        if avahi is None:
            return skipped("mDNS is switched off")
        beside = evidence.units.get("lanpi-name.service")
        if beside is not None and beside.active != "active":
            return Result("warning", f"{domain} points to another machine", (f"{beside.name}: {beside.active}",),
                          f"Switch off the old Pi, or take the name {domain} from the machine that has it",
                          "restart", beside.name)  # fmt: skip
        if avahi.active == "active":
            return OK
        return Result("warning", f"{domain} cannot be found: Avahi is not running", (f"{avahi.name}: {avahi.active}",),
                      f"systemctl restart {avahi.name}", "restart", avahi.name)  # fmt: skip
    if evidence.domain_resolves is False:
        return Result(
            "warning", f"{domain} has no address in the DNS", (), "Add one at your DNS provider or in your router"
        )
    return OK


def firewall(evidence: Evidence) -> Result:
    if evidence.firewall_same is None:
        return skipped("lanpi has not set up a firewall")
    if evidence.firewall_same:
        return OK
    return Result("critical", "the firewall rules are not the ones that lanpi placed",
                  ("nft list table inet lanpi differs",),
                  "systemctl restart lanpi-firewall.service", "restart", "lanpi-firewall.service")  # fmt: skip


def drift(evidence: Evidence) -> Result:
    if not evidence.drift:
        return OK
    shown = tuple(f"{each.path}: {each.state}" for each in evidence.drift[:8])
    return Result("warning", "files have changed since lanpi placed them", shown,
                  "`lanpi doctor --diff` shows the changes; `lanpi install` undoes them", "converge")  # fmt: skip


def packages(evidence: Evidence) -> Result:
    found = evidence.facts.packages
    if found.interrupted or found.half_configured:
        shown = found.half_configured[:8] or ("dpkg was interrupted",)
        return Result("critical", "packages are half installed", shown, "dpkg --configure -a", "dpkg")
    if evidence.held:
        return Result("warning", "packages are held back from upgrades", evidence.held[:8],
                      f"apt-mark unhold {' '.join(evidence.held[:8])}")  # fmt: skip
    return OK


def security(evidence: Evidence) -> Result:
    if not evidence.security:
        return OK
    return Result("warning", f"{len(evidence.security)} security upgrades are pending", evidence.security[:8],
                  "systemctl start apt-daily-upgrade.service", "restart", "apt-daily-upgrade.service")  # fmt: skip


def log_space(evidence: Evidence) -> Result:
    bound = evidence.log_bound_bytes
    if bound is None:
        return skipped("lanpi is not installed on this Pi")
    if evidence.log_bytes <= bound * 1.1:
        return OK
    return Result("warning", "the logs exceed their limit", (f"{evidence.log_bytes} of {bound} bytes",),
                  "journalctl --vacuum-size=50M", "free-disk")  # fmt: skip


def backup(evidence: Evidence) -> Result:
    found = evidence.backup
    if found is None:
        if not evidence.facts.is_root:
            return skipped(NO_ROOT)
        if BACKUP_TIMER not in evidence.units:
            return skipped("this Pi makes no backups")
        return Result("warning", "no backup has been made yet",
                      (f"{BACKUP_TIMER}: {evidence.units[BACKUP_TIMER].active}",),
                      "Make one with lanpi backup now, then save its key with lanpi backup key")  # fmt: skip
    if found.last_error:
        return Result("warning", "the last backup failed", (found.last_error,), "lanpi backup now")
    for when, days, what, fix in (
        (found.last_success, BACKUP_DAYS, "made", "lanpi backup now"),
        (found.last_verified, VERIFIED_DAYS, "verified", "lanpi backup verify"),
    ):
        if not when:
            return Result("warning", f"no backup has been {what} yet", (), fix)
        age = (evidence.asked_epoch - datetime.fromisoformat(when).timestamp()) / DAY
        if age > days:
            return Result("warning", f"the last backup was {what} {age:.0f} days ago", (when,), fix)
    return OK


CHECKS = (
    Check("installed", "Install", "lanpi is installed completely", "critical", installed),
    Check("clock", "Clock", "the Pi's clock against this machine's, and what keeps it right", "critical", clock),
    Check(
        "certificate",
        "Certificate",
        "valid for the domain, does not expire soon",
        "critical",
        certificate,
        needs_root=True,
    ),
    Check("packages", "Packages", "no package is half configured or held back", "critical", packages),
    Check("firewall", "Firewall", "the kernel's rules match lanpi's file", "critical", firewall, needs_root=True),
    Check("drift", "Files", "the files that lanpi placed are unchanged", "warning", drift, needs_root=True),
    Check("names", "Names", "the domain can be found by mDNS or DNS", "warning", names),
    Check("address", "Address", "the Pi's address is the one in its certificate", "warning", address, needs_root=True),
    Check("security", "Security upgrades", "no security upgrade is pending", "warning", security),
    Check("logs", "Log space", "all logs together within logs.max_mb", "warning", log_space, needs_root=True),
    Check("backup", "Backup", "a backup was made and verified recently", "warning", backup, needs_root=True),
)
