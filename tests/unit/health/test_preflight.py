"""Decisions of preflight that hang on configuration, --force or an earlier install.

What it says of whole machines is tested over tests/data/facts.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lanpi.config.model import Config
from lanpi.facts.model import Facts, Installed, Listener
from lanpi.health.preflight import Finding, findings
from lanpi.pi.sizes import GB

from ..facts.machines import MACHINES

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "preflight.md"
FINISHED = Installed("0.1.0", finished=True, when="2026-11-01T10:00:00Z", domain="chat.example.org")
UNFINISHED = replace(FINISHED, finished=False)


def fresh_pi() -> Facts:
    return MACHINES["pi5-8g-trixie"].facts()


def found(facts: Facts, config: dict[str, Any] | None = None, **options: Any) -> dict[str, Finding]:
    told = {"forced": False, "now_epoch_seconds": facts.clock.epoch_seconds, **options}
    everything = findings(facts, Config.model_validate(config or {}), **told)
    by_id = {finding.id: finding for finding in everything}
    assert len(by_id) == len(everything), "an id was used twice"
    for finding in everything:
        assert "\n" not in finding.text + finding.fix
        assert not finding.is_bad or finding.fix, f"{finding.id} does not say what to do"
    return by_id


def with_listener(facts: Facts, protocol: Any, port: int, process: str) -> Facts:
    return replace(facts, listeners=(*facts.listeners, Listener(protocol, "0.0.0.0", port, process)))


@pytest.mark.parametrize("name", ["pi3b-trixie", "zero2w-trixie", "pi5-8g-trixie", "pi4-4g-trixie-installed"])
def test_supported_machines_are_not_blocked(name: str) -> None:
    assert not [each.id for each in found(MACHINES[name].facts()).values() if each.level == "blocker"]


def test_force_turns_refusals_into_warnings_and_nothing_else() -> None:
    facts = MACHINES["debian-amd64-clashes"].facts()
    facts = replace(facts, os=replace(facts.os, id="ubuntu", architecture="riscv64"))
    facts = replace(facts, hardware=replace(facts.hardware, memory_bytes=250_000_000))
    before, after = found(facts), found(facts, forced=True)
    blocked = {id for id, each in before.items() if each.level == "blocker"}
    still = {id for id, each in after.items() if each.level == "blocker"}
    assert blocked - still == {"os", "architecture", "memory", "other-redis-server"}
    assert still == {"mirror", "port-80-tcp", "port-3478-udp", "port-5222-tcp"}


@pytest.mark.parametrize("installed", [FINISHED, UNFINISHED])
def test_own_services_are_no_clash(installed: Installed) -> None:
    facts = with_listener(fresh_pi(), "tcp", 5222, "beam.smp")
    assert found(facts)["port-5222-tcp"].level == "blocker"
    assert "port-5222-tcp" not in found(replace(facts, installed=installed))


def test_an_exporter_of_an_earlier_install_is_no_clash() -> None:
    facts = with_listener(fresh_pi(), "tcp", 9100, "prometheus-node")
    assert found(facts, {"metrics": True})["port-9100-tcp"].level == "blocker"
    assert "port-9100-tcp" not in found(replace(facts, installed=FINISHED), {"metrics": True})


def test_a_stranger_on_the_port_is_a_clash_after_an_install_too() -> None:
    facts = replace(with_listener(fresh_pi(), "tcp", 5222, "prosody"), installed=FINISHED)
    assert found(facts)["port-5222-tcp"].text == "port 5222/tcp (XMPP clients) is used by prosody"


@pytest.mark.parametrize(
    ("port", "protocol", "config"),
    [
        (8883, "tcp", {"im": {"mqtt": True}}),
        (5269, "tcp", {"im": {"federation": True}}),
        (5432, "tcp", {"database": "postgresql"}),
        (9100, "tcp", {"metrics": True}),
    ],
)
def test_ports_are_needed_only_with_their_feature(port: int, protocol: str, config: dict[str, Any]) -> None:
    facts = with_listener(fresh_pi(), protocol, port, "stranger")
    assert f"port-{port}-{protocol}" not in found(facts)
    assert found(facts, config)[f"port-{port}-{protocol}"].level == "blocker"


def test_calls_switched_off_leave_their_port_alone() -> None:
    facts = with_listener(fresh_pi(), "udp", 3478, "turnserver")
    assert "port-3478-udp" in found(facts)
    assert "port-3478-udp" not in found(facts, {"im": {"calls": False}})


def test_postgresql_that_is_there_is_shared() -> None:
    facts = with_listener(fresh_pi(), "tcp", 5432, "postgres")
    assert "port-5432-tcp" not in found(facts, {"database": "postgresql"})


def test_unreachable_mirror_blocks_only_what_has_to_be_installed() -> None:
    facts = fresh_pi()
    facts = replace(facts, packages=replace(facts.packages, mirror_reachable=False))
    assert found(facts)["mirror"].level == "blocker"
    assert found(replace(facts, installed=UNFINISHED))["mirror"].level == "blocker"
    assert found(replace(facts, installed=FINISHED))["mirror"].level == "warning"


def test_a_wrong_clock_may_be_why_a_secure_mirror_is_unreachable() -> None:
    facts = fresh_pi()
    packages = replace(facts.packages, mirror_reachable=False, debian_uri="https://mirror.example/debian")
    facts = replace(facts, packages=packages)
    assert found(facts)["mirror"].level == "blocker"
    later = facts.clock.epoch_seconds + 100 * 86400
    assert found(facts, now_epoch_seconds=later)["mirror"].level == "warning"
    plain = replace(facts, packages=replace(packages, debian_uri="http://mirror.example/debian"))
    assert found(plain, now_epoch_seconds=later)["mirror"].level == "blocker"


@pytest.mark.parametrize(("offset", "level"), [(0, "ok"), (59, "ok"), (-59, "ok"), (61, "critical"), (-61, "critical")])
def test_clock_is_held_against_the_operators(offset: int, level: str) -> None:
    facts = fresh_pi()
    assert found(facts, now_epoch_seconds=facts.clock.epoch_seconds + offset)["clock"].level == level


@pytest.mark.parametrize(("free", "level"), [(2 * GB - 1, "blocker"), (40 * GB, "ok")])
def test_free_space(free: int, level: str) -> None:
    facts = fresh_pi()
    facts = replace(facts, storage=replace(facts.storage, root_free_bytes=free))
    assert found(facts)["storage-space"].level == level


@pytest.mark.parametrize(
    ("flags", "power", "throttling"),
    [
        (0x0, "ok", "ok"),
        (0x1, "critical", "ok"),
        (0x10000, "warning", "ok"),
        (0x2, "ok", "warning"),
        (0x4, "ok", "warning"),
        (0x8, "ok", "warning"),
        (0x80000, "ok", "warning"),
        (0x50005, "critical", "warning"),
    ],
)
def test_throttling_bits(flags: int, power: str, throttling: str) -> None:
    facts = fresh_pi()
    told = found(replace(facts, hardware=replace(facts.hardware, throttled_flags=flags)))
    assert (told["power"].level, told["throttling"].level) == (power, throttling)


def test_memory_limits_say_what_happens_next() -> None:
    facts = fresh_pi()
    boot = facts.boot

    def step(config: dict[str, Any] | None = None, **changes: Any) -> str:
        return found(replace(facts, boot=replace(boot, **changes)), config)["memory-limits"].fix

    assert step().startswith("lanpi adds cgroup_enable=memory to /boot/firmware/cmdline.txt")
    assert "memory.cgroup is false" in step({"memory": {"cgroup": False}})
    assert "take effect after a reboot" in step(cmdline=f"{boot.cmdline.strip()} cgroup_enable=memory\n")
    assert "upgrade it (sudo apt-get full-upgrade)" in step(
        kernel_cmdline=f"{boot.kernel_cmdline} cgroup_enable=memory"
    )
    assert "boot loader" in step(cmdline_path="", cmdline="")
    assert step(memory_cgroup=True) == ""


def test_wifi_says_what_becomes_of_power_saving() -> None:
    facts = MACHINES["zero2w-trixie"].facts()
    assert "switches Wi-Fi power saving off" in found(facts)["network"].fix
    assert "stays on" in found(facts, {"network": {"wifi_power_save": True}})["network"].fix


def test_every_finding_is_in_the_reference() -> None:
    documented = set(re.findall(r"^\| `([a-z-]+)", REFERENCE.read_text("utf-8"), re.MULTILINE))
    told = set()
    for machine in MACHINES.values():
        for id in found(machine.facts()):
            told.add("port-" if id.startswith("port-") else id)
    others = {"other-" for id in told if id.startswith("other-") and id != "other-servers"}
    told = {id for id in told if not id.startswith("other-") or id == "other-servers"} | others
    assert told == documented
