"""What the Pi remembers of its limits."""

import json
from dataclasses import asdict, replace

import pytest

from lanpi.config.model import Config
from lanpi.deploy.limits_now import parse
from lanpi.deploy.limits_stored import Set, find, in_effect, misfits, plan_from, with_state
from lanpi.facts.model import Facts
from lanpi.health.enforce import unenforced
from lanpi.tuning.decide import decide, inputs_of
from lanpi.tuning.model import Inputs

from .machines import machine

PLAN = decide(machine(1024), Config()).plan


def entry(number: int, state: str, previous: int = 0) -> Set:
    return Set(number, "2026-01-01T00:00:00+00:00", "tune", state, previous, {}, {})  # type: ignore[arg-type]


def test_a_plan_comes_back_from_its_file_as_it_was() -> None:
    assert plan_from(json.loads(PLAN.as_json)) == PLAN


@pytest.mark.parametrize("damage", [{"redis": {}}, {"redis": None}, {"new": 1}])
def test_a_plan_of_another_version_is_not_taken_for_one(damage: dict[str, object]) -> None:
    assert plan_from(asdict(PLAN) | damage) is None


def test_the_set_in_effect_replaces_the_one_before() -> None:
    sets = with_state((entry(1, "in effect"), entry(2, "started", 1)), 2, "in effect")
    assert [s.state for s in sets] == ["replaced", "in effect"]
    assert in_effect(sets) == find(sets, 2)


def test_a_set_that_was_rolled_back_leaves_the_one_before_in_effect() -> None:
    sets = with_state((entry(1, "in effect"), entry(2, "started", 1)), 2, "rolled back")
    assert in_effect(sets) == find(sets, 1)
    assert find(sets, 3) is None


def now(facts: Facts) -> Inputs:
    return inputs_of(facts, Config())


def test_limits_fit_the_machine_that_they_were_made_for() -> None:
    assert misfits(PLAN.inputs, now(machine(1024))) == ()
    assert misfits(PLAN.inputs, now(machine(1012))) == ()


def test_limits_do_not_fit_another_model() -> None:
    moved = replace(machine(3792, storage="nvme"))
    reasons = misfits(PLAN.inputs, now(moved))
    assert "made for 1,024 MiB of memory, but there are 3,792 MiB" in reasons
    assert any("made for sd storage, but it is nvme" in reason for reason in reasons)
    assert misfits(PLAN.inputs, now(machine(1024, cores=1))) == ("made for 4 cores, but there are 1",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("800", 800),
        ("64kB", 65536),
        ("512MB", 512 * 1024**2),
        ("900s", 900),
        ("infinity", "no limit"),
        ("18446744073709551615", "no limit"),
        ("[not set]", None),
        ("", None),
        (None, None),
        ("noeviction", "noeviction"),
        ("-500", -500),
    ],
)
def test_values_as_programs_write_them(text: str | None, value: object) -> None:
    assert parse(text) == value


def test_limits_that_the_kernel_ignores_are_named_with_the_fix() -> None:
    settings = decide(machine(1024), Config()).settings
    assert unenforced(machine(1024), Config(), settings) == ()
    (gap,) = unenforced(machine(1024, limits=False), Config(), settings)
    assert "server.memory_max_bytes" in gap.names
    assert "kernel" in gap.why
    assert gap.next_step
