"""Checks of services: down, restarting, starved, refused."""

import ipaddress
import re
from collections import Counter

from lanpi.doctor.causes import crash_cause, recent
from lanpi.doctor.evidence import Evidence, Unit
from lanpi.doctor.result import OK, Check, Result, skipped
from lanpi.pi.im.api import database_of
from lanpi.pi.read.services import POSTGRESQL

LOOPING = 3
"""Exits within a quarter of an hour, and starts by systemd since the last start by hand."""
FULL_BYTES = 50_000_000
ATTACKS = 20
"""Failed logins of one address a day; mod_fail2ban bans at as many."""
_ENDED = re.compile(r"Main process exited|Failed with result")
_LOGIN = re.compile(r"Failed (?:c2s )?\S* ?(?:authentication|password).* from (?:::ffff:)?([\da-fA-F.:]*[\da-fA-F])")
# RFC 1918, 4193, 4291 and 6598: such an address is at home, or comes through the operator's own tunnel.
_HOME = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"),
    )
)


_PORTS = {"ejabberd": ("beam", (5222, 5223)), "nginx": ("nginx", (80, 443))}
"""What each service's process is called, and the ports that it needs."""


def _port_owner(evidence: Evidence, service: str) -> str:
    own, ports = _PORTS.get(service, ("", ()))
    for listener in evidence.facts.listeners:
        if listener.port in ports and listener.process and own not in listener.process:
            return f"port {listener.port} is held by {listener.process}"
    return ""


def _down(evidence: Evidence, unit: Unit, *sources: str) -> Result:
    ended = [line for line in recent(evidence, *sources) if _ENDED.search(line.text) and "exited" in line.text]
    # systemd counts from the last start by hand, so a loop that somebody ended is over.
    looping = len(ended) >= LOOPING and unit.restarts >= LOOPING
    if unit.active == "active" and not looping:
        return OK
    name = unit.name.removesuffix(".service")
    state = f"{unit.name}: {unit.active} ({unit.sub}), {unit.restarts} restarts, result {unit.result}"
    how = f"{name} is in a restart loop" if looping or unit.sub == "auto-restart" else f"{name} is not running"
    found = None if unit.result == "success" and unit.active == "inactive" else crash_cause(evidence, *sources)
    free = evidence.facts.storage.root_free_bytes
    if free < FULL_BYTES:
        return Result("critical", f"{how}: the disk is full", (state, f"free on /: {free} bytes"),
                      "Free some space: lanpi doctor --fix", "free-disk")  # fmt: skip
    owner = _port_owner(evidence, name)
    if owner:
        return Result("critical", f"{how}: {owner}", (owner, state),
                      f"Stop that program (ss -tlnp shows it), then run systemctl restart {name}")  # fmt: skip
    program = re.split("[-@]", name)[0]
    drifted = [f"{drift.path} was {drift.state}" for drift in evidence.drift if f"/{program}" in drift.path]
    if drifted and (found is None or found[0].id in ("configuration", "killed")):
        lines = found[1] if found else ()
        return Result("critical", f"{how}: its configuration was changed and does not work", (*drifted, *lines, state),
                      "Put lanpi's configuration back: lanpi install", "converge")  # fmt: skip
    if found:
        cause, lines = found
        return Result("critical", f"{how}: {cause.says}", (*lines, state), cause.fix, cause.action, unit.name)
    last = tuple(line.text for line in recent(evidence, *sources)[-2:])
    stopped = unit.active == "inactive" and unit.result == "success"
    cause_text = f"{how}: it was stopped" if stopped else how
    return Result("critical", cause_text, (*last, state), f"systemctl restart {unit.name}", "restart", unit.name)


def messaging(evidence: Evidence) -> Result:
    unit = evidence.units.get("ejabberd.service")
    if unit is None:
        return Result("critical", "ejabberd is not installed", (), "lanpi install", "converge")
    return _down(evidence, unit, "ejabberd")


def redis(evidence: Evidence) -> Result:
    unit = evidence.units.get("redis-server.service")
    if unit is None:
        return Result("critical", "Redis is not installed", (), "lanpi install", "converge")
    return _down(evidence, unit, "redis")


def web(evidence: Evidence) -> Result:
    unit = evidence.units.get("nginx.service")
    if unit is None:
        return Result("critical", "nginx is not installed", (), "lanpi install", "converge")
    return _down(evidence, unit, "nginx")


def database(evidence: Evidence) -> Result:
    if database_of(evidence.facts.config_text) != "postgresql":
        return skipped("ejabberd keeps its database in a file of its own")
    clusters = [unit for name, unit in sorted(evidence.units.items()) if name.startswith(POSTGRESQL)]
    if not clusters:
        return Result("critical", "PostgreSQL is not installed", (), "lanpi install", "converge")
    return _down(evidence, clusters[-1], "postgresql")


def units(evidence: Evidence) -> Result:
    own = ("ejabberd.service", "redis-server.service", "nginx.service", POSTGRESQL)
    failed = [
        unit for name, unit in sorted(evidence.units.items()) if unit.active == "failed" and not name.startswith(own)
    ]
    if not failed:
        return OK
    shown = tuple(f"{unit.name}: failed, result {unit.result}" for unit in failed)
    return Result("warning", "services on the Pi have failed", shown, f"systemctl restart {failed[0].name}", "restart",
                  failed[0].name)  # fmt: skip


def oom(evidence: Evidence) -> Result:
    killed = [line.text for line in evidence.lines if re.search(r"Out of memory|oom-kill|Killed process", line.text)]
    if not killed:
        return OK
    return Result("critical", "the kernel killed programs because memory ran out", tuple(killed[-3:]),
                  "Lower the limits (lanpi tune), or stop other programs on the Pi")  # fmt: skip


def redis_health(evidence: Evidence) -> Result:
    info = evidence.redis
    if info is None:
        return skipped("Redis does not answer")
    if int(info.get("evicted_keys", "0")) > 0:
        return Result("warning", "Redis dropped sessions because its memory is full",
                      (f"evicted_keys {info['evicted_keys']}",), "Give it more memory: lanpi tune")  # fmt: skip
    if "err" in (info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")):
        return Result(
            "warning", "Redis could not save its data", (f"{info}",), "Check the disk: lanpi doctor --only disk-full"
        )
    bound, used = int(info.get("maxmemory", "0")), int(info.get("used_memory", "0"))
    if bound and used > 0.95 * bound:
        return Result("warning", "Redis's memory is nearly full", (f"{used} of {bound} bytes",),
                      "Give it more memory: lanpi tune")  # fmt: skip
    return OK


def queues(evidence: Evidence) -> Result:
    pattern = re.compile(r"overloaded|message queue|queue is full|system_monitor|long_gc", re.IGNORECASE)
    shown = [line.text for line in evidence.lines if line.source == "ejabberd" and pattern.search(line.text)]
    if not shown:
        return OK
    return Result("warning", "ejabberd's queues fill faster than they empty", tuple(shown[-3:]),
                  "See what keeps it busy: lanpi doctor --only cpu,disk-slow")  # fmt: skip


def open_files(evidence: Evidence) -> Result:
    emfile = [line.text for line in evidence.lines if re.search(r"\bemfile\b|Too many open files", line.text)]
    opened, bound = evidence.open_files, evidence.open_files_bound
    if emfile:
        return Result("critical", "ejabberd ran out of file descriptors", tuple(emfile[-2:]), "lanpi tune")
    if opened is None or bound is None:
        return skipped("ejabberd is not running")
    if opened > 0.8 * bound:
        return Result("warning", "ejabberd has nearly reached its limit of open files", (f"{opened} of {bound}",),
                      "Raise open_files: lanpi tune")  # fmt: skip
    return OK


def logins(evidence: Evidence) -> Result:
    counted: Counter[str] = Counter()
    for line in evidence.lines:
        found = _LOGIN.search(line.text)
        if found:
            counted[found[1]] += 1
    top = [(address, count) for address, count in counted.most_common(5) if count >= ATTACKS]
    if not top:
        return OK
    shown = tuple(f"{address}: {count} failed logins" for address, count in top)
    home = [address for address, _ in top if any(ipaddress.ip_address(address) in network for network in _HOME)]
    if not home:
        return Result("warning", "somebody is guessing passwords", shown,
                      "Nothing to do: after 20 wrong passwords an address must wait an hour")  # fmt: skip
    return Result("warning", "a device at home keeps sending wrong passwords", shown,
                  "If one of your own apps has an old password, `lanpi doctor --fix` lifts the ban", "unban",
                  home[0])  # fmt: skip


CHECKS = (
    Check("im", "Messaging server", "ejabberd is running and stays up; if not, logs say why", "critical", messaging),
    Check("database", "Database", "PostgreSQL, if used, is running and stays up; if not, why", "critical", database),
    Check("redis", "Redis", "Redis is running and stays up; if not, why", "critical", redis),
    Check(
        "oom", "Out of memory", "programs that the kernel killed for lack of memory", "critical", oom, needs_root=True
    ),
    Check("web", "Front door", "nginx is running and stays up; if not, why", "critical", web),
    Check("units", "Other services", "no service that lanpi manages has failed", "warning", units),
    Check(
        "open-files", "Open files", "ejabberd's open files against their limit", "critical", open_files, needs_root=True
    ),
    Check(
        "redis-health",
        "Redis's memory",
        "evictions, failed saves, memory use against its limit",
        "warning",
        redis_health,
        needs_root=True,
    ),
    Check("queues", "Queues", "overload and long queues in ejabberd's log", "warning", queues, needs_root=True),
    Check("logins", "Login attacks", "failed logins in the last day, by address", "warning", logins, needs_root=True),
)
