"""Judgements of what needs regular care: install, certificate, backup, limits, logs, packages, clock; pure."""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import yaml

from lanpi.config.model import Config
from lanpi.deploy.limits_stored import misfits
from lanpi.facts.model import Boot, Installed, MovedOut, Packages, Swap
from lanpi.health.finding import Action, Finding, Level
from lanpi.health.readings import BackupStatus, Certificates, Limited, MadeFor, Misowned
from lanpi.im.moved import moved_text
from lanpi.pi.read.certificate import OWN
from lanpi.pi.sizes import MB, NOT_AVAILABLE, of, size
from lanpi.pi.thresholds import TABLE
from lanpi.spans import duration

DAY_SECONDS = 86_400
RENEW = "Renew it: systemctl restart lanpi-tls.service"


def install(installed: Installed | None) -> tuple[Finding, ...]:
    """Whether lanpi is there, and whole; nothing is said while it is."""
    fix = "Run the same `lanpi install` again"
    if installed is None:
        return (
            Finding(
                "install",
                "critical",
                "lanpi is not installed on this Pi",
                cause="lanpi is not installed on this Pi",
                fix="lanpi install",
                action="converge",
            ),
        )
    if not installed.finished:
        return (
            Finding(
                "install",
                "critical",
                "not finished",
                cause="an install did not finish",
                evidence=(f"begun at {installed.when}",),
                fix=fix,
                action="converge",
            ),
        )
    return ()


def moved(reading: MovedOut | None) -> tuple[Finding, ...]:
    """Whether the server of this Pi has moved to another one."""
    if reading is None:
        return ()
    text = moved_text(reading)
    fix = "Remove lanpi here (`lanpi uninstall`), or bring the server back on purpose: `lanpi install --force`"
    return (Finding("moved", "warning", text, cause=text, evidence=(f"noted {reading.when}",), fix=fix),)


@dataclass(frozen=True)
class Served:
    """The certificates, for which domain, and the operator's and the Pi's idea of now."""

    certificates: Certificates | None
    days_left: float | None
    domain: str
    server_runs: bool


def certificate(reading: Served) -> Finding:
    """How long the certificate that clients are shown is valid, and whether it is for the domain."""
    days, found = reading.days_left, reading.certificates
    if days is None:
        return Finding("certificate", "unknown", NOT_AVAILABLE)
    text = f"{days:.0f} days left" if days >= 0 else f"expired {-days:.0f} days ago"
    level: Level = TABLE["certificate"].level(days)
    cause = ""
    if level in ("warning", "critical"):
        cause = "the certificate has expired" if days < 0 else "the certificate expires soon"
    if found and reading.domain and found.names and not _covers(found.names, reading.domain):
        level, cause = "critical", f"the certificate is not for {reading.domain}" + (f", and {cause}" if cause else "")
        text += f", not for {reading.domain}"
    if not cause:
        return Finding("certificate", level, text)
    names = f"valid for {days:.1f} days, for {', '.join(found.names) if found else ''}"
    fix, action = _renewal(found)
    return Finding("certificate", level, text, cause=cause, evidence=(names,), fix=fix, action=action)


def _covers(names: tuple[str, ...], domain: str) -> bool:
    """RFC 6125, 6.4.3: a wildcard stands for the leftmost label."""
    return domain in names or f"*.{domain.partition('.')[2]}" in names


def _renewal(found: Certificates | None) -> tuple[str, Action]:
    configured = found.configured if found else None
    if configured is None or configured.path == OWN:
        return RENEW, "certificate"
    return "Replace the certificate, then run lanpi install", ""


def served(reading: Served) -> tuple[Finding, ...]:
    """Whether the configured certificate is the one that clients are shown; nothing is said while it is."""
    found = reading.certificates
    if found is None:
        return ()
    configured = found.configured
    if configured and configured.problem:
        fix, action = _renewal(found)
        text = f"{configured.path} {configured.problem}"
        return (_unserved(text, f"the configured certificate {text}", (text,), fix, action),)
    if (
        configured
        and configured.days_left is not None
        and configured.days_left < 0
        and reading.days_left != configured.days_left
    ):
        # Not shown yet, or nobody would see why nothing is shown: loading it again is no help.
        fix, action = _renewal(found)
        text = f"{configured.path} expired {-configured.days_left:.0f} days ago"
        return (_unserved(text, "the configured certificate has expired", (text,), fix, action),)
    without = [shown for shown in found.shown if shown.problem not in ("", "closed")]
    if without and reading.server_runs:
        ports = " and ".join(str(shown.port) for shown in without)
        evidence = tuple(f"port {shown.port}: {shown.problem}" for shown in without)
        fix = "Load it again: `lanpi doctor --fix`; if that does not help, `lanpi logs ejabberd` says why"
        return (
            _unserved(
                f"none is shown on port {ports}",
                f"clients are shown no certificate on port {ports}",
                evidence,
                fix,
                "reload",
            ),
        )
    prints = {shown.port: shown.sha256 for shown in found.shown if shown.sha256}
    wanted = configured.sha256 if configured else next(iter(prints.values()), "")
    other = [port for port, sha256 in prints.items() if sha256 != wanted]
    if not other:
        return ()
    ports = " and ".join(map(str, other))
    name = configured.path if configured else "the one on the other port"
    evidence = tuple(f"port {port}: SHA-256 {prints[port][:16]}…, configured: {wanted[:16]}…" for port in other)
    return (
        Finding(
            "certificate_served",
            "warning",
            f"port {ports} shows another certificate than {name}",
            "Certificate shown",
            f"port {ports} shows another certificate than {name}",
            evidence,
            "Load it again: lanpi doctor --fix",
            "reload",
        ),
    )


def _unserved(text: str, cause: str, evidence: tuple[str, ...], fix: str, action: Action) -> Finding:
    return Finding("certificate_served", "critical", text, "Certificate shown", cause, evidence, fix, action)


@dataclass(frozen=True)
class Backups:
    """What the backup says of itself, whether its timer is there and runs, and the Pi's clock."""

    status: BackupStatus | None
    timer: str | None  # ActiveState; None where there is no timer
    is_root: bool
    now: float


def backup(reading: Backups) -> tuple[Finding, ...]:
    """Whether there is a recent backup, and one that was verified, and whether its key is kept elsewhere too."""
    found = reading.status
    if found is None:
        if reading.timer == "active" and reading.is_root:
            return (
                Finding(
                    "backup",
                    "warning",
                    "none yet",
                    "Backup",
                    "no backup has been made yet",
                    (f"lanpi-backup.timer: {reading.timer}",),
                    "Make the first one with `lanpi backup now`, then save its key with `lanpi backup key`",
                ),
            )
        return (Finding("backup", "unknown", "not set up" if reading.timer is None else NOT_AVAILABLE, "Backup"),)
    lines = [_made(found, reading.now), _verified(found, reading.now)]
    if not found.key_saved:
        text = "only on the Pi: lost when the Pi is lost"
        lines.append(
            Finding(
                "backup_key",
                "warning",
                text,
                "Backup key",
                "the backups' key is only on the Pi",
                (text,),
                "Save it: lanpi backup key",
            )
        )
    return tuple(lines)


def _made(found: BackupStatus, now: float) -> Finding:
    age = _age(found.last_success, now)
    level: Level = "warning" if age is None else TABLE["backup_age"].level(age / 3600)
    text = "never" if age is None else f"{duration(age)} ago"
    cause = "no backup has been made yet" if age is None else f"the last backup was made {text}"
    evidence: tuple[str, ...] = (f"last backup: {found.last_success or 'never'}",)
    if found.last_error:
        level = "critical" if level == "critical" else "warning"
        cause = f"the last backup failed{'' if age is None or level != 'critical' else f', and {cause}'}"
        text, evidence = f"{text}; the last one failed: {found.last_error}", (found.last_error, *evidence)
    if level == "ok":
        return Finding("backup", "ok", text, "Backup")
    return Finding("backup", level, text, "Backup", cause, evidence, "lanpi backup now")


def _verified(found: BackupStatus, now: float) -> Finding:
    age = _age(found.last_verified, now)
    level = "warning" if age is None else TABLE["verified_age"].level(age / DAY_SECONDS)
    text = "never" if age is None else f"{duration(age)} ago"
    if level == "ok":
        return Finding("backup_verified", "ok", text, "Backup verified")
    cause = "no backup has been verified yet" if age is None else f"the last backup was verified {text}"
    return Finding(
        "backup_verified",
        level,
        text,
        "Backup verified",
        cause,
        (f"last verified: {found.last_verified or 'never'}",),
        "lanpi backup verify",
    )


def _age(when: str, now: float) -> float | None:
    """Seconds since an ISO 8601 time; None where there is none."""
    try:
        return max(now - datetime.fromisoformat(when).timestamp(), 0.0)
    except ValueError:
        return None


@dataclass(frozen=True)
class Fit:
    """The machine that the limits were decided for (None without limits), and the one there is."""

    made_for: MadeFor | None
    there_is: MadeFor


def limits(reading: Fit) -> Finding:
    """Whether the limits were decided for this machine; they were not when the card has moved to another Pi."""
    if reading.made_for is None:
        return Finding("limits", "unknown", NOT_AVAILABLE)
    reasons = misfits(reading.made_for, reading.there_is)
    if not reasons:
        return Finding("limits", "ok", "they fit this Pi")
    text = f"they no longer fit this Pi: {'; '.join(reasons)}"
    return Finding(
        "limits",
        "warning",
        text,
        cause="the limits were made for another Pi",
        evidence=tuple(reasons),
        fix="Adjust them: lanpi tune",
    )


@dataclass(frozen=True)
class Logs:
    """What the logs take (None where it cannot be told), and what they may (bytes)."""

    used_bytes: int | None
    bound_bytes: int


def log_bound_bytes(config_text: str | None) -> int:
    """``logs.max_mb`` of the configuration on the Pi, or its default, in bytes."""
    bound = Config().logs.max_mb
    # It is not set on the Pi, or was set by hand to something invalid: the default is in effect.
    with suppress(yaml.YAMLError, TypeError, KeyError, ValueError):
        bound = int(yaml.safe_load(config_text or "")["logs"]["max_mb"])
    return bound * MB


def logs(reading: Logs) -> Finding:
    """Whether the logs keep to their limit."""
    if reading.used_bytes is None:
        return Finding("logs", "unknown", NOT_AVAILABLE)
    text = of(reading.used_bytes, reading.bound_bytes)
    level = TABLE["logs_used"].level(100 * reading.used_bytes / max(reading.bound_bytes, 1))
    if level not in ("warning", "critical"):
        return Finding("logs", level, text)
    return Finding(
        "logs",
        level,
        text,
        cause="the logs exceed their limit",
        evidence=(text,),
        fix="journalctl --vacuum-size=50M",
        action="free-disk",
    )


def security_updates(names: tuple[str, ...] | None) -> Finding:
    """Whether security upgrades wait."""
    level = TABLE["security_updates"].level(None if names is None else len(names))
    if names is None or level not in ("warning", "critical"):
        return Finding("security_updates", level, NOT_AVAILABLE if names is None else "none pending")
    text = f"{len(names)} pending: {', '.join(names[:5])}"
    return Finding(
        "security_updates",
        level,
        text,
        cause=f"{len(names)} security upgrades are pending",
        evidence=names[:8],
        fix="Install them now: sudo unattended-upgrade",
        action="restart",
        target="apt-daily-upgrade.service",
    )


def reboot(reasons: tuple[str, ...]) -> Finding:
    """Whether a reboot is due."""
    if not reasons:
        return Finding("reboot", "ok", "not needed")
    return Finding(
        "reboot", "warning", "; ".join(reasons), cause="a reboot is due", evidence=reasons, fix="sudo reboot"
    )


@dataclass(frozen=True)
class Clocks:
    """The Pi's clock against the operator's, and what keeps it."""

    ahead_seconds: float  # of the operator's; negative when behind
    synchronised: bool | None
    time_service: str
    is_container: bool


def clock(reading: Clocks) -> Finding:
    """Whether the Pi's clock is right, and stays so."""
    off = reading.ahead_seconds
    level: Level = TABLE["clock_off"].level(abs(off))
    if level != "ok":
        text = f"the Pi's clock is {duration(abs(off))} {'ahead of' if off > 0 else 'behind'} this machine's"
        return Finding(
            "clock",
            level,
            text,
            cause=f"{text}: certificates and message times go wrong",
            evidence=(f"{abs(off):.0f} s {'ahead' if off > 0 else 'behind'}",),
            fix="`lanpi doctor --fix` sets it from this machine",
            action="clock",
        )
    kept = f", kept by {reading.time_service}" if reading.time_service else ""
    # Of a container its host keeps the clock, and it cannot tell whether that is kept right.
    if reading.synchronised or reading.is_container:
        return Finding("clock", "ok", f"correct to the minute{kept}")
    if reading.synchronised is None:
        return Finding("clock", "unknown", NOT_AVAILABLE)
    if not reading.time_service:
        return Finding(
            "clock",
            "warning",
            "nothing keeps the clock right",
            cause="nothing keeps the clock right",
            evidence=("no time service is running",),
            fix="systemctl enable --now systemd-timesyncd",
            action="time-service",
        )
    text = f"{reading.time_service} has not synchronised the clock yet"
    return Finding(
        "clock",
        "warning",
        text,
        cause="the clock has not been set from the network",
        evidence=(f"{reading.time_service} gets no answer",),
        fix="Check whether the network allows NTP: timedatectl timesync-status",
    )


def ownership(found: tuple[Misowned, ...]) -> tuple[Finding, ...]:
    """Whether the files that the services need belong to whom they should; nothing is said while they do."""
    if not found:
        return ()
    shown = tuple(f"{each.path}: {each.now}, should be {each.wanted}" for each in found)
    names = ", ".join(each.path for each in found[:3]) + (" and others" if len(found) > 3 else "")
    cause = f"{names} {'belongs' if len(found) == 1 else 'belong'} to the wrong user, or with the wrong mode"
    target = "\n".join(f"{each.wanted} {each.path}" for each in found)
    return (
        Finding(
            "ownership",
            "critical",
            "; ".join(shown[:3]),
            cause=cause,
            evidence=shown[:8],
            fix="`lanpi doctor --fix` puts owner and mode right",
            action="ownership",
            target=target,
        ),
    )


@dataclass(frozen=True)
class KeptOut:
    """Who is kept out, and the Pi's clock."""

    limited: tuple[Limited, ...]
    now: float


def limited(reading: KeptOut) -> tuple[Finding, ...]:
    """Whom the Pi keeps out at the moment; one finding each, so that each can be let in again."""
    return tuple(_limited(each, reading.now) for each in reading.limited)


# RFC 1918, 4193, 4291 and 6598: such an address is at home, or comes through the operator's own tunnel.
_HOME = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"),
    )
)


def is_home(address: str) -> bool:
    """Whether an address, or a network, is one of a home's own."""
    try:
        found = ipaddress.ip_network(address, strict=False)
    except ValueError:  # no address at all
        return False
    return any(found.version == home.version and found.subnet_of(home) for home in _HOME)  # type: ignore[arg-type]


def _limited(each: Limited, now: float) -> Finding:
    why = "too many wrong passwords" if each.by == "ejabberd" else "too many connections"
    since = "" if each.since is None else f" for {duration(now - each.since)}"
    until = "" if each.until is None else f", for another {duration(each.until - now)}"
    text = f"{each.who} is kept out{since}{until}: {why}"
    if not is_home(each.who):
        # Whoever guesses passwords from far away is let in by nobody's "yes to all".
        fix = f"If it is one of your own: lanpi doctor --let-in {each.who}"
        return Finding(f"limited:{each.who}", "warning", text, "Kept out", text, (f"by {each.by}",), fix)
    action: Action = "unban" if each.by == "ejabberd" else "unlimit"
    target = each.who if action == "unban" else f"{each.by} {each.who}"
    return Finding(
        f"limited:{each.who}",
        "warning",
        text,
        "Kept out",
        text,
        (f"by {each.by}",),
        "It is in your own network: `lanpi doctor --fix` lets it in again",
        action,
        target,
    )


def packages(reading: Packages) -> Finding:
    """Whether dpkg has finished all it began."""
    # While another program installs packages, half-installed ones are normal.
    if reading.lock_holder:
        return Finding("packages", "ok", "packages are being set up right now")
    if reading.half_configured or reading.interrupted:
        names = ", ".join(reading.half_configured)
        text = f"some packages are only half set up: {names}" if names else "dpkg was interrupted"
        return Finding(
            "packages",
            "critical",
            text,
            cause="packages are half installed",
            evidence=reading.half_configured[:8] or ("dpkg was interrupted",),
            fix="dpkg --configure -a",
            action="dpkg",
        )
    return Finding("packages", "ok", "all packages are fully set up")


def swap_owners(reading: Swap) -> Finding:
    """Whether a single program manages swap."""
    if len(reading.owners) > 1:
        return Finding(
            "swap_owners",
            "warning",
            f"swap is set up twice: {' and '.join(reading.owners)}",
            cause="two programs manage swap and undo each other's work",
            evidence=reading.owners,
            fix=f"Keep {reading.owner}, which lanpi configures, and remove the other",
        )
    total = f", {size(reading.total_bytes)}" if reading.total_bytes else ""
    return Finding("swap_owners", "ok", f"swap by {reading.owner}{total}" if reading.owner != "none" else "no swap yet")


@dataclass(frozen=True)
class Enforcement:
    """How the kernel was started, and whether this is a container."""

    boot: Boot
    is_container: bool


def memory_limits(reading: Enforcement) -> Finding:
    """Whether the kernel enforces memory limits."""
    if reading.boot.memory_cgroup:
        return Finding("memory_limits", "ok", "the kernel enforces memory limits")
    text = "the kernel does not enforce memory limits"
    if reading.is_container and not reading.boot.cmdline_path:
        return Finding("memory_limits", "unknown", f"{text}: the host of this container sets its limit")
    return Finding(
        "memory_limits",
        "warning",
        text,
        cause=text,
        evidence=(reading.boot.kernel_cmdline[:200],),
        fix="lanpi install --reboot",
    )
