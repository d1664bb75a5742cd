"""Checks of services: down, restarting, starved, refused."""

import re
from collections import Counter

from lanpi.health.causes import crash_cause, recent
from lanpi.health.check import Check
from lanpi.health.evidence import Evidence
from lanpi.health.finding import OK, Finding, bad, skipped
from lanpi.health.judge.services import CACHE, LOOPING, SERVER, WEB
from lanpi.health.judge.upkeep import is_home
from lanpi.health.readings import Service
from lanpi.pi.im.api import database_of
from lanpi.pi.read.services import POSTGRESQL
from lanpi.pi.sizes import MB, of, size
from lanpi.pi.thresholds import TABLE

FULL_BYTES = 50 * MB
"""With less free than this, a server that does not start does not for want of room."""
_ENDED = re.compile(r"Main process exited|Failed with result")
_LOGIN = re.compile(r"Failed (?:c2s )?\S* ?(?:authentication|password).* from (?:::ffff:)?([\da-fA-F.:]*[\da-fA-F])")


_PORTS = {"ejabberd": ("beam", (5222, 5223)), "nginx": ("nginx", (80, 443))}
"""What each service's process is called, and the ports that it needs."""


def _port_owner(evidence: Evidence, service: str) -> str:
    own, ports = _PORTS.get(service, ("", ()))
    for listener in evidence.facts.listeners:
        if listener.port in ports and listener.process and own not in listener.process:
            return f"port {listener.port} is held by {listener.process}"
    return ""


def _down(evidence: Evidence, unit: Service | None, *sources: str) -> Finding:
    """Why a service is not running, or does not stay up; the table says that it is so."""
    if unit is None or evidence.readings.moved:
        return OK
    restarts = unit.restarts or 0
    ended = [line for line in recent(evidence, *sources) if _ENDED.search(line.text) and "exited" in line.text]
    # systemd counts from the last start by hand, so a loop that somebody ended is over.
    looping = restarts >= LOOPING and (len(ended) >= LOOPING or unit.active == "activating")
    starting = unit.active in ("activating", "reloading") and not restarts
    if (unit.active == "active" and not looping) or starting or unit.enabled == "masked":
        return OK
    name = unit.unit.removesuffix(".service")
    state = f"{unit.unit}: {unit.active} ({unit.sub}), {restarts} restarts, result {unit.result}"
    how = f"{name} is in a restart loop" if looping or unit.sub == "auto-restart" else f"{name} is not running"
    stopped = unit.active == "inactive" and unit.result == "success"
    found = None if stopped else crash_cause(evidence, *sources)
    free = evidence.readings.board.disk_free_bytes
    if free < FULL_BYTES:
        return bad(
            "critical",
            f"{how}: the disk is full",
            (state, f"free on /: {size(free)}"),
            "Free some space: lanpi doctor --fix",
            "free-disk",
        )
    program = re.split("[-@]", name)[0]
    denied = [each for each in evidence.readings.misowned if f"/{program}" in each.path or "/tls/" in each.path]
    if denied and not stopped:
        shown = tuple(f"{each.path}: {each.now}, should be {each.wanted}" for each in denied)
        target = "\n".join(f"{each.wanted} {each.path}" for each in denied)
        return bad(
            "critical",
            f"{how}: {denied[0].path} belongs to the wrong user, or has the wrong mode",
            (*shown, *(found[1] if found else ()), state),
            "`lanpi doctor --fix` puts owner and mode right",
            "ownership",
            target,
        )
    owner = _port_owner(evidence, name)
    if owner:
        return bad(
            "critical",
            f"{how}: {owner}",
            (owner, state),
            f"Stop that program (ss -tlnp shows it), then run systemctl restart {name}",
        )
    drifted = [f"{drift.path} was {drift.state}" for drift in evidence.drift if f"/{program}" in drift.path]
    if drifted and (found is None or found[0].id in ("configuration", "killed")):
        lines = found[1] if found else ()
        return bad(
            "critical",
            f"{how}: its configuration was changed and does not work",
            (*drifted, *lines, state),
            "Put lanpi's configuration back: lanpi install",
            "converge",
        )
    if found:
        cause, lines = found
        return bad("critical", f"{how}: {cause.says}", (*lines, state), cause.fix, cause.action, unit.unit)
    last = tuple(line.text for line in recent(evidence, *sources)[-2:])
    off = unit.enabled == "disabled"
    told = "disabled" if off else "stopped"
    return bad(
        "critical",
        f"{how}: it was {told}" if stopped else how,
        (*last, state),
        f"systemctl {'enable --now' if off else 'restart'} {unit.unit}",
        "enable" if off else "restart",
        unit.unit,
    )


def _unit(evidence: Evidence, name: str) -> Service | None:
    return next((each for each in evidence.readings.services if each.unit.startswith(name)), None)


def web(evidence: Evidence) -> Finding:
    """Why nginx does not run."""
    return _down(evidence, _unit(evidence, WEB), "nginx")


def messaging(evidence: Evidence) -> Finding:
    """Why ejabberd does not run."""
    return _down(evidence, _unit(evidence, SERVER), "ejabberd")


def redis(evidence: Evidence) -> Finding:
    """Why Redis does not run."""
    return _down(evidence, _unit(evidence, CACHE), "redis")


def database(evidence: Evidence) -> Finding:
    """Why PostgreSQL does not run, where it is used."""
    if database_of(evidence.readings.config_text) != "postgresql":
        return skipped("ejabberd keeps its database in a file of its own")
    return _down(evidence, _unit(evidence, POSTGRESQL), "postgresql")


def oom(evidence: Evidence) -> Finding:
    """What the kernel killed for lack of memory."""
    killed = [line.text for line in evidence.lines if re.search(r"Out of memory|oom-kill|Killed process", line.text)]
    if not killed:
        return OK
    return bad(
        "critical",
        "the kernel killed programs because memory ran out",
        tuple(killed[-3:]),
        "Lower the limits (lanpi tune), or stop other programs on the Pi",
    )


def redis_health(evidence: Evidence) -> Finding:
    info = evidence.redis
    if info is None:
        return skipped("Redis does not answer")
    if int(info.get("evicted_keys", "0")) > 0:
        return bad(
            "warning",
            "Redis dropped sessions because its memory is full",
            (f"evicted_keys {info['evicted_keys']}",),
            "Give it more memory: lanpi tune",
        )
    if "err" in (info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")):
        return bad(
            "warning", "Redis could not save its data", (f"{info}",), "Check the disk: lanpi doctor --only disk-full"
        )
    bound, used = int(info.get("maxmemory", "0")), int(info.get("used_memory", "0"))
    if bound and TABLE["redis_memory"].level(100 * used / bound) != "ok":
        return bad("warning", "Redis's memory is nearly full", (of(used, bound),), "Give it more memory: lanpi tune")
    return OK


def queues(evidence: Evidence) -> Finding:
    pattern = re.compile(r"overloaded|message queue|queue is full|system_monitor|long_gc", re.IGNORECASE)
    shown = [line.text for line in evidence.lines if line.source == "ejabberd" and pattern.search(line.text)]
    if not shown:
        return OK
    return bad(
        "warning",
        "ejabberd's queues fill faster than they empty",
        tuple(shown[-3:]),
        "See what keeps it busy: lanpi doctor --only cpu,disk-slow",
    )


def open_files(evidence: Evidence) -> Finding:
    emfile = [line.text for line in evidence.lines if re.search(r"\bemfile\b|Too many open files", line.text)]
    opened, bound = evidence.open_files, evidence.open_files_bound
    if emfile:
        return bad("critical", "ejabberd ran out of file descriptors", tuple(emfile[-2:]), "lanpi tune")
    if opened is None or bound is None:
        return skipped("ejabberd is not running")
    if bound and TABLE["open_files"].level(100 * opened / bound) != "ok":
        return bad(
            "warning",
            "ejabberd has nearly reached its limit of open files",
            (f"{opened} of {bound}",),
            "Raise open_files: lanpi tune",
        )
    return OK


def logins(evidence: Evidence) -> Finding:
    counted: Counter[str] = Counter()
    for line in evidence.lines:
        found = _LOGIN.search(line.text)
        if found:
            counted[found[1]] += 1
    top = [(address, count) for address, count in counted.most_common(5) if TABLE["failed_logins"].level(count) != "ok"]
    if not top:
        return OK
    shown = tuple(f"{address}: {count} failed logins" for address, count in top)
    if not any(is_home(address) for address, _ in top):
        return bad(
            "warning",
            "somebody is guessing passwords",
            shown,
            "Nothing to do: after 20 wrong passwords an address must wait an hour",
        )
    return bad(
        "warning",
        "a device at home keeps sending wrong passwords",
        shown,
        "Does one of your own apps have an old password? `lanpi doctor --fix` lifts a ban",
    )


CHECKS = (
    Check("im", "Messaging server", "ejabberd is running and stays up; if not, logs say why", "critical", messaging),
    Check("database", "Database", "PostgreSQL, if used, is running and stays up; if not, why", "critical", database),
    Check("redis", "Redis", "Redis is running and stays up; if not, why", "critical", redis),
    Check(
        "oom", "Out of memory", "programs that the kernel killed for lack of memory", "critical", oom, needs_root=True
    ),
    Check("web", "Front door", "nginx is running and stays up; if not, why", "critical", web),
    Check("units", "Other services", "the other services that lanpi manages run, and start at boot", "warning"),
    Check("messages", "Messages", "messages are delivered in good time: the Pi's own checks", "critical"),
    Check(
        "ownership",
        "Ownership",
        "the files that the services need have the right owner and mode",
        "critical",
        needs_root=True,
    ),
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
    Check(
        "logins",
        "Login attacks",
        "failed logins in the last day, and who is kept out",
        "warning",
        logins,
        needs_root=True,
    ),
)
