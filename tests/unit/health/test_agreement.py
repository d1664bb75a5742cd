"""Status, doctor and preflight cannot disagree about one reading: for any reading, over the whole health table."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lanpi.config.model import Config
from lanpi.facts.model import Facts, Installed, MovedOut
from lanpi.facts.records import build_record
from lanpi.health.doctor import CHECKS, examine, exit_status
from lanpi.health.evidence import Evidence
from lanpi.health.finding import SEVERITY
from lanpi.health.preflight import findings as preflight
from lanpi.health.readings import (
    BackupStatus,
    Certificates,
    Configured,
    Limited,
    LinkNow,
    MadeFor,
    Misowned,
    People,
    Readings,
    Service,
    Shown,
)
from lanpi.health.status import judge
from lanpi.health.table import ENTRIES, TABLE, judge_readings

DATA = Path(__file__).parents[2] / "data" / "doctor"
EVIDENCE = build_record(Evidence, json.loads((DATA / "healthy.json").read_text("utf-8")), "evidence")
HEALTHY = EVIDENCE.readings
REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "health.md"

NOW = HEALTHY.epoch_seconds
maybe = st.none
ages = st.sampled_from([0.0, 3600.0, 49 * 3600, 51 * 3600, 7.5 * 86400, 9 * 86400, 36 * 86400])


def moment(age: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(NOW - age, UTC).isoformat()


units = st.sampled_from(["ejabberd.service", "redis-server.service", "lanpi-tls.timer", "avahi-daemon.service",
                         "postgresql@17-main.service", "lanpi-backup.timer", "ssh.service"])  # fmt: skip
services = st.builds(
    Service,
    unit=units,
    type=st.sampled_from(["notify", "oneshot", ""]),
    active=st.sampled_from(["active", "inactive", "failed", "activating", "deactivating", "reloading"]),
    sub=st.sampled_from(["running", "dead", "auto-restart", "exited"]),
    enabled=st.sampled_from(["enabled", "disabled", "masked", "static", "enabled-runtime"]),
    result=st.sampled_from(["success", "exit-code", "oom-kill"]),
    since_epoch=maybe() | st.floats(NOW - 1e6, NOW),
    restarts=maybe() | st.integers(0, 9),
    memory_bytes=maybe() | st.integers(0, 10**10),
    cpu_percent=maybe(),
    written_bytes=maybe(),
)
percent = st.integers(0, 100)


def board_of(memory, swap, disk, **rest):
    """A board of which every size is a hundred, so that bytes are per cent."""
    return replace(
        HEALTHY.board,
        memory_available_bytes=memory,
        memory_total_bytes=100,
        swap_used_bytes=swap,
        swap_total_bytes=100,
        disk_free_bytes=disk,
        disk_total_bytes=100,
        **rest,
    )


boards = st.builds(
    board_of,
    memory=maybe() | percent,
    swap=percent,
    disk=percent,
    load=st.just(()) | st.tuples(*[st.floats(0, 40)] * 3),
    temperature_celsius=maybe() | st.floats(-20, 120),
    throttled_flags=maybe() | st.integers(0, 0xFFFFF),
    disk_read_only=st.booleans(),
    disk_life_used_percent=maybe() | st.integers(0, 120),
    is_container=st.booleans(),
)
links = st.builds(
    LinkNow,
    name=st.sampled_from(["eth0", "wlan0"]),
    wireless=st.booleans(),
    up=st.booleans(),
    default_route=st.booleans(),
    addresses=st.just(("10.77.0.22",)),
    signal_dbm=maybe() | st.integers(-100, -20),
    speed_mbit=maybe() | st.sampled_from([10, 100, 1000]),
)
shown = st.builds(Shown, port=st.sampled_from([5223, 443]), sha256=st.sampled_from(["", "ab", "cd"]),
                  problem=st.sampled_from(["", "closed", "no TLS: EOF"]))  # fmt: skip
certificates = maybe() | st.builds(
    Certificates,
    shown=st.lists(shown, max_size=2).map(tuple),
    configured=maybe()
    | st.builds(Configured, path=st.sampled_from(["/etc/lanpi/tls/server.pem", "/etc/my.pem"]),
                sha256=st.sampled_from(["", "ab"]), problem=st.sampled_from(["", "is missing"])),
    ends=maybe(),
    names=st.sampled_from([(), ("doc.local", "10.77.0.22"), ("other.local",)]),
)  # fmt: skip
backups = maybe() | st.builds(
    BackupStatus,
    last_success=st.just("") | ages.map(moment),
    last_verified=st.just("") | ages.map(moment),
    key_saved=st.booleans(),
    last_error=st.sampled_from(["", "no room"]),
)
histories = maybe() | st.builds(
    lambda **changes: replace(HEALTHY.history, **changes),
    last_epoch=ages.map(lambda age: NOW - age),
    passed=st.integers(0, 288),
    failing_since=maybe() | st.just(NOW - 600),
    latest_seconds=st.fixed_dictionaries({name: maybe() | st.floats(0, 20) for name in ("login", "delivery")}),
    usual_seconds=st.fixed_dictionaries({name: maybe() | st.floats(0, 20) for name in ("login", "delivery")}),
    bad_since=st.sampled_from([{}, {"temperature": NOW - 7200}]),
)
any_readings = st.builds(
    lambda **changes: replace(HEALTHY, **changes),
    asked_epoch=st.sampled_from([NOW, NOW - 59, NOW + 61, NOW - 90000]),
    is_root=st.booleans(),
    installed=maybe() | st.builds(Installed, version=st.just("1"), finished=st.booleans(), when=st.just(""),
                                  domain=st.just("doc.local")),
    moved=maybe() | st.just(MovedOut("2026-11-24T10:00:00+00:00", "doc.local", "192.0.2.9")),
    config_text=maybe() | st.sampled_from(["domain: doc.local\n", "database: postgresql\nlogs: {max_mb: 40}\n"]),
    services=st.lists(services, max_size=6, unique_by=lambda each: each.unit).map(tuple),
    people=maybe()
    | st.builds(People, registered=maybe() | st.integers(0, 9), online=maybe() | st.integers(0, 9),
                sessions=maybe() | st.integers(0, 9), answer_seconds=maybe() | st.floats(0, 9),
                sent_per_minute=maybe(), received_per_minute=maybe()),
    board=boards,
    links=st.lists(links, max_size=2, unique_by=lambda each: each.name).map(tuple),
    certificate=certificates,
    certificate_days_left=maybe() | st.floats(-400, 400),
    backup=backups,
    limits_made_for=maybe() | st.builds(MadeFor, memory_bytes=st.sampled_from([100, 10**9]), cores=st.integers(1, 4),
                                        storage=st.sampled_from(["sd", "usb"])),
    history=histories,
    logs_bytes=maybe() | st.integers(0, 10**9),
    security_updates=maybe() | st.sampled_from([(), ("openssl",)]),
    reboot_reasons=st.sampled_from([(), ("kernel",)]),
    clock_synchronised=maybe() | st.booleans(),
    time_service=st.sampled_from(["", "chrony.service"]),
    misowned=st.lists(st.builds(Misowned, path=st.just("/etc/ejabberd/ejabberd.yml"), now=st.just("root:root 0600"),
                                wanted=st.just("ejabberd:ejabberd 0600")), max_size=1).map(tuple),
    limited=st.lists(st.builds(Limited, who=st.sampled_from(["192.168.1.7", "203.0.113.7"]),
                               by=st.sampled_from(["ejabberd", "limited4"]), since=maybe(), until=maybe()),
                     max_size=2).map(tuple),
)  # fmt: skip


def quiet(readings: Readings) -> Evidence:
    """A machine of which the deeper look has nothing to tell beyond the readings."""
    return replace(
        EVIDENCE, readings=readings, lines=(), pressure={}, disk_wait_ms=None, domain_resolves=None, drift=(), held=(),
        redis=None, open_files=None, open_files_bound=None, busiest=(), cores_busy_percent=0.0,
    )  # fmt: skip


noisy = st.builds(
    lambda **changes: changes,
    pressure=st.sampled_from([{}, {"memory.full": 40.0, "cpu.some": 90.0, "io.full": 50.0}]),
    inodes_free_percent=st.sampled_from([1.0, 90.0]),
    cores_busy_percent=st.sampled_from([1.0, 99.0]),
    disk_wait_ms=st.sampled_from([1.0, 900.0]),
    held=st.sampled_from([(), ("ejabberd",)]),
    crash_slogan=st.sampled_from(["", "eheap_alloc: Cannot allocate"]),
    firewall_same=st.sampled_from([None, True, False]),
)

# Deeper looks that say more of a service that is down than status can; their level is at least that of the readings.
SERVICES = ("im", "redis", "database")


def levels_of_status(readings: Readings) -> dict[str, int]:
    """The worst that status says of what each of doctor's checks is about."""
    found: dict[str, int] = {}
    for line in judge("pi", readings).findings:
        check = TABLE[line.entry].doctor
        if check:
            found[check] = max(found.get(check, 0), SEVERITY[line.level])
    return found


def levels_of_doctor(evidence: Evidence) -> dict[str, int]:
    return {each.check.id: SEVERITY[each.finding.level] for each in examine(evidence)}


@settings(max_examples=200, deadline=None)
@given(any_readings)
def test_with_nothing_more_to_see_doctor_says_what_status_says(readings):
    status, doctor = levels_of_status(readings), levels_of_doctor(quiet(readings))
    for check, level in status.items():
        if check not in SERVICES:
            assert doctor[check] == level, check
        assert doctor[check] >= level, check
    asked = {entry.doctor for entry in ENTRIES if entry.of_readings}
    for check in asked - set(status) - {"", *SERVICES}:
        assert doctor[check] == 0, f"{check}: doctor has a word that status has not"


@settings(max_examples=200, deadline=None)
@given(any_readings, noisy)
def test_a_deeper_look_takes_nothing_back(readings, more):
    evidence = replace(EVIDENCE, readings=readings, **more)
    doctor = levels_of_doctor(evidence)
    for check, level in levels_of_status(readings).items():
        assert doctor[check] >= level, check
    report = judge("pi", readings)
    if report.exit_status in (1, 2):
        assert exit_status(examine(evidence)) >= report.exit_status


def facts_of(readings: Readings) -> Facts:
    """The facts of the same machine at the same moment."""
    facts, board = EVIDENCE.facts, readings.board
    return replace(
        facts,
        hardware=replace(facts.hardware, temperature_celsius=board.temperature_celsius,
                         throttled_flags=board.throttled_flags, is_container=board.is_container),
        storage=replace(facts.storage, root_total_bytes=board.disk_total_bytes, root_free_bytes=board.disk_free_bytes,
                        read_only=board.disk_read_only, life_used_percent=board.disk_life_used_percent),
        clock=replace(facts.clock, epoch_seconds=readings.epoch_seconds, synchronised=readings.clock_synchronised,
                      time_service=readings.time_service),
    )  # fmt: skip


# What preflight judges by the same entries, and what makes it refuse instead: an install needs more than a server.
SHARED = ("temperature", "power", "throttling", "clock", "storage-life", "storage-writable", "storage-space")


@settings(max_examples=300, deadline=None)
@given(any_readings)
def test_preflight_says_what_status_says(readings):
    facts = facts_of(readings)
    found = preflight(facts, Config(), forced=False, now_epoch_seconds=readings.asked_epoch)
    told = {each.id: SEVERITY[each.level] for each in found}
    for entry in ENTRIES:
        ids = [id for id in entry.preflight if id in SHARED and id in told]
        if not entry.of_readings or not ids:
            continue
        status = (
            max(SEVERITY[each.level] for each in entry.judged(entry.of_readings(readings)))
            if entry.judged(entry.of_readings(readings))
            else 0
        )
        worst = max(told[id] for id in ids)
        assert worst == status or worst == SEVERITY["blocker"], entry.id
        # A wear that is fine is not worth a line of preflight's.
    if "storage-life" not in told:
        assert not any(each.is_bad for each in TABLE["wear"].from_facts(facts, 0.0))


@settings(max_examples=100, deadline=None)
@given(st.lists(links, min_size=1, max_size=1).map(tuple))
def test_preflight_judges_wifi_as_status_does(several):
    [link] = several
    link = replace(link, wireless=True, up=True, default_route=True, speed_mbit=None)
    facts = EVIDENCE.facts
    there = replace(facts.links[0], **{each.name: getattr(link, each.name) for each in fields(link)
                                      if each.name != "speed_mbit"})  # fmt: skip
    found = preflight(replace(facts, links=(there,)), Config(), forced=False, now_epoch_seconds=NOW)
    [network] = [each for each in found if each.id == "network"]
    [status] = [each for each in judge_readings(replace(HEALTHY, links=(link,))) if each.entry == "links"]
    assert network.level == status.level


def test_what_used_to_contradict():
    def both(**changes):
        readings = replace(HEALTHY, **changes)
        return levels_of_status(readings), levels_of_doctor(quiet(readings))

    backup = BackupStatus(moment(7.5 * 86400), moment(86400), key_saved=True, last_error="")
    for name, changes, check, level in (
        ("a backup of 7.5 days", {"backup": backup}, "backup", "critical"),
        ("a certificate with 20 days left", {"certificate_days_left": 20.0}, "certificate", "warning"),
        (
            "12 % free",
            {"board": replace(HEALTHY.board, disk_total_bytes=100, disk_free_bytes=12)},
            "disk-full",
            "warning",
        ),
        ("205 MiB of logs", {"logs_bytes": 205 << 20}, "logs", "warning"),
        ("200 MB of logs", {"logs_bytes": 200_000_000}, "logs", "ok"),
    ):
        status, doctor = both(**changes)
        assert status[check] == doctor[check] == SEVERITY[level], name


def test_every_entry_is_used_and_every_check_of_doctor_exists():
    checks = {check.id for check in CHECKS}
    for entry in ENTRIES:
        assert entry.doctor in checks | {""}, entry.id
        assert entry.doctor or entry.section, entry.id
        assert bool(entry.preflight) == bool(entry.of_facts), entry.id
        assert entry.of_readings or entry.of_facts, entry.id
        assert bool(entry.section) == bool(entry.of_readings), entry.id


def test_the_reference_has_the_table():
    rows = [line for line in REFERENCE.read_text("utf-8").splitlines() if re.match(r"\| `", line)]
    assert rows == [
        f"| `{entry.id}` | {entry.reads} | {entry.section or '-'} | {f'`{entry.doctor}`' if entry.doctor else '-'} | "
        f"{', '.join(f'`{id}`' for id in entry.preflight) or '-'} |"
        for entry in ENTRIES
    ]
