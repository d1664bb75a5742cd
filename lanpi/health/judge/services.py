"""Judgements of systemd's units; pure."""

from dataclasses import dataclass

from lanpi.health.finding import Action, Finding
from lanpi.health.readings import Service
from lanpi.pi.read.services import POSTGRESQL
from lanpi.pi.sizes import size
from lanpi.pi.thresholds import RESTART_WINDOW_SECONDS, TABLE, Level
from lanpi.spans import duration

SERVER, CACHE, WEB = "ejabberd.service", "redis-server.service", "nginx.service"
NAMES = {SERVER: "ejabberd", CACHE: "Redis", WEB: "nginx", POSTGRESQL: "PostgreSQL"}
LOOPING = 3
"""Starts by systemd since the last start by hand: a service that is starting again is in a loop from here on."""


@dataclass(frozen=True)
class Core:
    """A unit without which nobody can send a message.

    Attributes:
        unit: its name, or how it begins (POSTGRESQL).
        services: of that name; none where it is not installed.
        now: the Pi's clock.
        moved: the server has moved to another Pi, and must not run here.
    """

    unit: str
    services: tuple[Service, ...]
    now: float
    moved: bool


@dataclass(frozen=True)
class Others:
    """The other units that lanpi watches."""

    services: tuple[Service, ...]
    now: float


def core(reading: Core | None) -> tuple[Finding, ...]:
    """A service that must run, and be started at every boot; nothing for None, which is not in use."""
    if reading is None:
        return ()
    if not reading.services:
        if reading.moved:
            return ()
        unit, name = reading.unit, NAMES[reading.unit]
        return (
            Finding(
                f"service:{unit}",
                "critical",
                "not installed",
                unit.removesuffix(".service").rstrip("@"),
                f"{name} is not installed",
                (),
                "lanpi install",
                "converge",
            ),
        )
    judge = _moved_out if reading.moved else _core
    return tuple(judge(service, reading.now) for service in reading.services)


def _finding(service: Service, level: Level, text: str, cause: str = "", fix: str = "", action: Action = "") -> Finding:
    name = service.unit.removesuffix(".service")
    state = f"{service.unit}: {service.active} ({service.sub}), {service.restarts or 0} restarts"
    evidence = (f"{state}, result {service.result}", f"{service.enabled} at boot") if cause else ()
    cause = f"{name} {cause}" if cause else ""
    return Finding(f"service:{service.unit}", level, text, name, cause, evidence, fix, action, service.unit)


def _core(service: Service, now: float) -> Finding:
    unit = service.unit
    look = f"See why: journalctl -u {unit}"
    if service.active == "active":
        level, text = _running(service, now)
        if service.enabled == "masked":
            return _finding(
                service,
                "warning",
                f"{text}, but masked",
                "is masked: it will not start at the next boot",
                f"systemctl unmask {unit}",
                "unmask",
            )
        if service.enabled == "disabled":
            return _finding(
                service,
                "warning",
                f"{text}, but not started at boot",
                "is disabled: it will not start at the next boot",
                f"systemctl enable {unit}",
                "enable",
            )
        return _finding(
            service,
            level,
            text,
            "ended and was restarted in the last hour" if level != "ok" else "",
            look if level != "ok" else "",
        )
    if service.enabled == "masked":
        return _finding(
            service,
            "critical",
            f"masked{_lasting(service, now)}",
            "is masked: systemd may not start it",
            f"systemctl unmask {unit}, then start it",
            "unmask",
        )
    if service.active in ("activating", "reloading"):
        often = service.restarts or 0
        text = "starting" + (f", restarted {often} times" if often else "")
        if often >= LOOPING:
            return _finding(service, "critical", text, "is in a restart loop", look, "restart")
        return _finding(service, "warning", text, "is starting", look)
    why = f" ({service.result})" if service.result not in ("", "success") else ""
    action: Action = "enable" if service.enabled == "disabled" else "restart"
    told = " and disabled" if service.enabled == "disabled" else ""
    return _finding(
        service, "critical", f"{service.active}{why}{told}{_lasting(service, now)}", "is not running", look, action
    )


def _moved_out(service: Service, now: float) -> Finding:
    """Of a Pi whose server has moved: its own must stay off, or two servers have one name."""
    if service.unit != SERVER or service.active not in ("active", "activating", "reloading"):
        return _finding(service, "ok", f"{service.active}: the server has moved to another Pi")
    return _finding(
        service,
        "critical",
        f"running{_lasting(service, now)}, though the server has moved to another Pi",
        "runs, though the server has moved: two servers have one name",
        f"systemctl disable --now {service.unit}",
    )


def others(reading: Others) -> tuple[Finding, ...]:
    """The other units: those that are not as they should be, and how many are."""
    found = [finding for service in reading.services if (finding := _other(service, reading.now))]
    bad = [finding for finding in found if finding.is_bad]
    if len(bad) == len(found):
        return tuple(bad)
    text = f"{len(found) - len(bad)} units are as they should be"
    return (*bad, Finding("services", "ok", text, "Others"))


def _other(service: Service, now: float) -> Finding | None:
    """None for one that is not meant to run: switched off by the configuration, or a job between its runs."""
    unit = service.unit
    look = f"See why: journalctl -u {unit}"
    if service.active == "active":
        level, text = _running(service, now)
        return _finding(
            service,
            level,
            text,
            "ended and was restarted in the last hour" if level != "ok" else "",
            look if level != "ok" else "",
        )
    if service.enabled == "masked":
        return _finding(
            service,
            "warning",
            f"masked{_lasting(service, now)}",
            "is masked: systemd may not start it",
            f"systemctl unmask {unit}, then start it",
            "unmask",
        )
    if service.active in ("inactive", "deactivating"):
        # lanpi's own timers are on a Pi only where they are wanted; of Debian's units the configuration decides.
        if service.enabled == "disabled" and unit.startswith("lanpi-") and unit.endswith(".timer"):
            return _finding(
                service,
                "warning",
                f"disabled{_lasting(service, now)}",
                "is disabled",
                f"systemctl enable --now {unit}",
                "enable",
            )
        if service.enabled not in ("enabled", "enabled-runtime") or service.type == "oneshot":
            return None
        return _finding(
            service,
            "warning",
            f"stopped{_lasting(service, now)}",
            "was stopped",
            f"Start it: systemctl start {unit}",
            "restart",
        )
    if service.active in ("activating", "reloading"):
        often = f", restarted {service.restarts} times" if service.restarts else ""
        return _finding(service, "warning", f"starting{often}", "is starting", look)
    why = f" ({service.result})" if service.result not in ("", "success") else ""
    return _finding(service, "warning", f"{service.active}{why}{_lasting(service, now)}", "has failed", look, "restart")


def _lasting(service: Service, now: float) -> str:
    """How long a unit has been in its state; empty where systemd does not say, as for a unit that never ran."""
    return "" if service.since_epoch is None else f", for {duration(max(now - service.since_epoch, 0.0))}"


def _running(service: Service, now: float) -> tuple[Level, str]:
    age = None if service.since_epoch is None else max(now - service.since_epoch, 0.0)
    parts = ["running" if service.sub in ("running", "") else service.sub]
    if age is not None:
        parts[0] += f" for {duration(age)}"
    if service.restarts:
        parts.append(f"{service.restarts} restarts")
    if service.memory_bytes is not None:
        parts.append(size(service.memory_bytes))
    if service.cpu_percent is not None:
        parts.append(f"{service.cpu_percent:.0f} % CPU")
    if service.written_bytes is not None:
        days = (age or 0) / 86400
        rate = f" ({size(service.written_bytes / days)} a day)" if days >= 1 else ""
        parts.append(f"{size(service.written_bytes)} written{rate}")
    recent = age is not None and age < RESTART_WINDOW_SECONDS
    level = TABLE["service_restarts"].level(service.restarts) if recent and service.restarts else "ok"
    return level, ", ".join(parts)
