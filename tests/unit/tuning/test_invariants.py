"""What holds for every Pi, whatever the formulas become."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanpi.config.model import Config
from lanpi.errors import LanpiError
from lanpi.facts.model import Facts
from lanpi.tuning.constants import MIB
from lanpi.tuning.decide import decide, people_that_fit
from lanpi.tuning.knobs import KNOBS
from lanpi.tuning.model import Plan

from .machines import machine

SMALLEST_MIB, LARGEST_MIB = 256, 64 * 1024
profiles = st.sampled_from(["eco", "balanced", "max"])
databases = st.sampled_from(["sqlite", "postgresql"])
memories = st.integers(SMALLEST_MIB * 1024, LARGEST_MIB * 1024).map(lambda kib: kib / 1024)
machines = st.builds(
    machine,
    memories,
    cores=st.integers(1, 64),
    storage=st.sampled_from(["sd", "emmc", "usb", "nvme", "disk", "virtual", "unknown"]),
    storage_gib=st.integers(4, 4096),
    filesystem=st.sampled_from(["ext4", "btrfs", "overlay", "f2fs"]),
    virtual=st.booleans(),
    limits=st.booleans(),
)


def configuration(profile: str, database: str = "sqlite", swap: Any = "auto", people: int | None = None) -> Config:
    return Config.model_validate(
        {"database": database, "memory": {"swap": swap}, "tune": {"profile": profile, "people": people}}
    )


configurations = st.builds(
    configuration, profiles, databases, st.one_of(st.sampled_from(["auto", "off"]), st.integers(0, 65536))
)


def database_bytes(plan: Plan) -> int:
    pg = plan.postgresql
    return pg.shared_buffers_bytes + pg.work_mem_bytes * plan.ejabberd.sql_pool_size


@settings(max_examples=300, deadline=None)
@given(machines, configurations)
def test_the_parts_never_exceed_the_whole_and_the_system_keeps_its_reserve(facts: Facts, config: Config) -> None:
    plan = decide(facts, config).plan
    whole = facts.hardware.memory_bytes
    reserve = min(160 * MIB, 0.37 * plan.inputs.memory_bytes)
    assert plan.server.memory_max_bytes + plan.cache.memory_max_bytes + database_bytes(plan) + reserve <= whole
    working = plan.server.memory_high_bytes + plan.redis.memory_bytes + plan.upkeep.memory_high_bytes
    assert working + database_bytes(plan) + reserve <= whole + MIB


@settings(max_examples=300, deadline=None)
@given(machines, configurations)
def test_the_limits_of_a_part_are_in_order(facts: Facts, config: Config) -> None:
    plan = decide(facts, config).plan
    assert 0 < plan.server.memory_low_bytes <= plan.server.memory_high_bytes <= plan.server.memory_max_bytes
    assert 0 < plan.cache.memory_low_bytes <= plan.redis.memory_bytes <= plan.cache.memory_max_bytes
    assert plan.upkeep.memory_high_bytes > 0
    assert plan.sysctl["vm.dirty_background_bytes"] < plan.sysctl["vm.dirty_bytes"]
    assert plan.server.oom_score_adjust < 0 < plan.upkeep.oom_score_adjust
    assert plan.upkeep.cpu_weight < 100 < plan.server.cpu_weight


@settings(max_examples=300, deadline=None)
@given(machines, configurations)
def test_every_value_is_one_that_its_program_accepts(facts: Facts, config: Config) -> None:
    for setting in decide(facts, config).settings:
        knob = KNOBS[setting.name]
        if knob.choices:
            assert setting.value in knob.choices
        else:
            assert isinstance(setting.value, int)
            assert knob.low <= setting.value <= knob.high, setting


@settings(max_examples=300, deadline=None)
@given(machines, configurations)
def test_the_server_has_room_for_what_it_is_sized_for(facts: Facts, config: Config) -> None:
    plan = decide(facts, config).plan
    sessions = plan.ejabberd.sessions
    assert plan.server.open_files >= sessions
    assert plan.erlang.ports >= 2 * sessions
    assert plan.erlang.processes >= sessions
    assert plan.sysctl["net.netfilter.nf_conntrack_max"] >= sessions  # type: ignore[operator]
    assert plan.redis.memory_bytes >= sessions * 512 or plan.redis.memory_bytes == 256 * MIB
    if config.database == "sqlite":
        assert sessions >= 50


@settings(max_examples=300, deadline=None)
@given(memories, memories, configurations, st.integers(1, 64), st.sampled_from(["sd", "nvme"]))
def test_more_memory_never_gives_less(one: float, other: float, config: Config, cores: int, storage: str) -> None:
    small, large = (machine(size, cores=cores, storage=storage) for size in sorted((one, other)))
    a, b = decide(small, config).plan, decide(large, config).plan
    assert a.ejabberd.sessions <= b.ejabberd.sessions
    assert a.server.memory_high_bytes <= b.server.memory_high_bytes
    assert a.server.memory_max_bytes <= b.server.memory_max_bytes
    assert a.redis.memory_bytes <= b.redis.memory_bytes
    assert a.upkeep.memory_high_bytes <= b.upkeep.memory_high_bytes
    assert a.server.open_files <= b.server.open_files
    assert a.ejabberd.backlog <= b.ejabberd.backlog
    assert a.postgresql.shared_buffers_bytes <= b.postgresql.shared_buffers_bytes


@settings(max_examples=100, deadline=None)
@given(machines)
def test_profiles_are_in_order_of_capacity(facts: Facts) -> None:
    sessions = [decide(facts, configuration(p)).plan.ejabberd.sessions for p in ("eco", "balanced", "max")]
    assert sessions == sorted(sessions)


@settings(max_examples=100, deadline=None)
@given(machines, profiles, st.integers(1, 1_000_000))
def test_people_fit_or_are_refused_with_the_number_that_does(facts: Facts, profile: str, people: int) -> None:
    fit = people_that_fit(facts, configuration(profile))
    if people <= fit:
        assert decide(facts, configuration(profile, people=people)).plan.ejabberd.sessions == 2 * people
    else:
        with pytest.raises(LanpiError, match=rf"{people} people are too many .* can serve {fit} "):
            decide(facts, configuration(profile, people=people))


@settings(max_examples=100, deadline=None)
@given(machines, configurations, st.integers(0, 8 * MIB))
def test_a_few_megabytes_more_or_less_are_the_same_machine(facts: Facts, config: Config, more: int) -> None:
    """A kernel that reserves a little more must not rewrite every limit, as long as the step is the same."""
    from dataclasses import replace

    step = facts.hardware.memory_bytes // (16 * MIB) * 16 * MIB
    same = replace(facts, hardware=replace(facts.hardware, memory_bytes=step + more))
    assert decide(replace(facts, hardware=replace(facts.hardware, memory_bytes=step)), config) == decide(same, config)
