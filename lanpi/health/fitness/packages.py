"""apt and dpkg, and software that is installed already."""

from collections.abc import Iterator
from dataclasses import replace

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.health.finding import Finding, blocker, ok, refusal, warning
from lanpi.health.fitness.health import clock_offset_seconds
from lanpi.health.fitness.shared import as_preflight
from lanpi.health.table import TABLE

# lanpi takes these over completely, configuration included.
TAKEN_OVER = {"ejabberd": "ejabberd", "redis-server": "Redis", "nginx": "nginx"}
# Other servers of the same kind: they conflict when they run, and the findings about ports then say so.
OTHER_XMPP = ("prosody", "openfire", "jabberd2")
OTHER_REDIS = ("valkey-server", "keydb-server")
MAIL = ("postfix", "exim4-daemon-light", "exim4-daemon-heavy", "dovecot-core", "opensmtpd")
OTHER_CALLS = ("coturn",)
OTHER_MQTT = ("mosquitto",)

# A clock this wrong makes certificates seem expired or not yet valid.
CERTIFICATE_DATES_SECONDS = 86_400

PACKAGES = (*TAKEN_OVER, *OTHER_XMPP, *OTHER_REDIS, *MAIL, *OTHER_CALLS, *OTHER_MQTT)
"""The packages that ``read_facts`` looks for on behalf of preflight."""


def findings(facts: Facts, config: Config, *, forced: bool, now_epoch_seconds: float) -> Iterator[Finding]:
    """Lock, unfinished packages, mirror, and other servers."""
    packages = facts.packages
    if packages.lock_holder:
        yield warning("dpkg-lock", f"{packages.lock_holder} is changing packages", "lanpi waits until it has finished")
    else:
        yield ok("dpkg-lock", "no other program is changing packages")
    yield _unfinished(facts)
    clock_wrong = abs(clock_offset_seconds(facts, now_epoch_seconds)) > CERTIFICATE_DATES_SECONDS
    yield from _mirror(facts, clock_wrong=clock_wrong)
    yield from _others(facts, config, forced=forced)


def _unfinished(facts: Facts) -> Finding:
    [found] = TABLE["packages"].from_facts(facts, facts.clock.epoch_seconds)
    step = "lanpi completes the setup first (dpkg --configure -a)" if found.is_bad else ""
    return as_preflight(replace(found, cause=""), "dpkg-state", fix=step)


def _mirror(facts: Facts, *, clock_wrong: bool) -> Iterator[Finding]:
    packages = facts.packages
    if packages.mirror_reachable is None:
        return
    if packages.mirror_reachable:
        yield ok("mirror", f"the package mirror answers ({packages.debian_uri})")
        return
    if packages.debian_uri:
        text = f"the package mirror does not answer ({packages.debian_uri})"
        step = "Check the network, DNS and apt's proxy, then try: sudo apt-get update"
    else:
        text = f"apt has no source for Debian's {facts.os.codename or 'release'} packages"
        step = "Add one to /etc/apt/sources.list.d/, then run: sudo apt-get update"
    if facts.installed is not None and facts.installed.finished:
        yield warning("mirror", text, f"This does not matter while nothing must be installed. {step}")
    elif clock_wrong and packages.debian_uri.startswith("https:"):
        yield warning("mirror", text, "The wrong clock may be the cause: lanpi sets the clock first, then tries again")
    else:
        yield blocker("mirror", text, step)


def _others(facts: Facts, config: Config, *, forced: bool) -> Iterator[Finding]:
    there = facts.packages.installed
    seen = False
    if facts.installed is None:
        for package, name in TAKEN_OVER.items():
            if package in there:
                seen = True
                yield refusal(
                    f"other-{package}",
                    f"{name} is installed, but not by lanpi, which would replace its configuration",
                    f"Save its data, then run: sudo apt-get purge {package}",
                    forced=forced,
                )
    kinds = [(OTHER_XMPP, "another XMPP server"), (OTHER_REDIS, "another Redis-like server")]
    if config.im.calls:
        kinds.append((OTHER_CALLS, "another server for calls"))
    if config.im.mqtt:
        kinds.append((OTHER_MQTT, "another MQTT server"))
    for names, kind in kinds:
        for package in (name for name in names if name in there):
            seen = True
            step = f"It must not use lanpi's ports. If you do not need it: sudo apt-get remove {package}"
            yield warning(f"other-{package}", f"{kind} is installed: {package}", step)
    for package in (name for name in MAIL if name in there):
        seen = True
        step = "It does not conflict with lanpi, but shares the Pi's memory"
        yield warning(f"other-{package}", f"mail software is installed: {package}", step)
    if not seen:
        yield ok("other-servers", "no other messaging, Redis or mail server is installed")
