"""The plans of the models, as text files to review: a change of formula shows as a diff.

Written anew with ``LANPI_WRITE_PLANS=1 pytest tests/unit/tuning/test_plans.py``.
"""

import os
from pathlib import Path

import pytest

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.tuning.decide import decide, people_that_fit
from lanpi.tuning.take import show

from .machines import machine

PLANS = Path(__file__).parents[2] / "data/plans"
PROFILES = ("eco", "balanced", "max")

# What Linux sees of each board's memory: less than is soldered on, since firmware and kernel keep some.
MODELS = {
    "zero2w": machine(416),
    "3b-plus": machine(906),
    "4-1g": machine(921),
    "4-2g": machine(1845),
    "4-4g": machine(3792),
    "4-8g": machine(7810, storage="usb", storage_gib=128),
    "5-2g": machine(2005),
    "5-8g": machine(8060, storage="nvme", storage_gib=256),
    "5-16g": machine(16_220, storage="nvme", storage_gib=1024),
    "cm4-emmc": machine(3792, storage="emmc", storage_gib=29),
    "virtual-3b-plus": machine(
        1024, cores=2, storage="virtual", filesystem="overlay", virtual=True, container=True, limits=False
    ),
}


def render(facts: Facts, database: str = "sqlite") -> str:
    configs = [Config.model_validate({"database": database, "tune": {"profile": p}}) for p in PROFILES]
    decisions = [decide(facts, config) for config in configs]
    rows = [("", *PROFILES), ("people", *(f"{people_that_fit(facts, config):,}" for config in configs))]
    names = {setting.name: None for decision in decisions for setting in decision.settings}
    for name in sorted(names):
        cells = []
        for decision in decisions:
            found = [setting for setting in decision.settings if setting.name == name]
            cells.append(show(found[0].value, found[0].unit) if found else "-")
        rows.append((name, *cells))
    head = (
        f"{facts.hardware.memory_bytes // 2**20} MiB, {facts.hardware.cores} cores, {facts.storage.kind} "
        f"{facts.storage.root_total_bytes // 2**30} GiB, {facts.storage.root_fstype}, {database}"
    )
    return "\n".join([head, *(f"{r[0]:44}{r[1]:>16}{r[2]:>16}{r[3]:>16}" for r in rows)]) + "\n"


CASES = [(name, "sqlite") for name in MODELS] + [("4-2g", "postgresql")]


@pytest.mark.parametrize(("name", "database"), CASES, ids=lambda value: value)
def test_the_plan_is_the_reviewed_one(name: str, database: str) -> None:
    path = PLANS / f"{name}{'' if database == 'sqlite' else '-' + database}.txt"
    text = render(MODELS[name], database)
    if os.environ.get("LANPI_WRITE_PLANS"):
        path.write_text(text)
    assert text == path.read_text(), "review the difference, then write the plans anew (see this file's head)"


def test_no_plan_is_left_of_a_model_that_is_gone() -> None:
    known = {f"{name}{'' if database == 'sqlite' else '-' + database}.txt" for name, database in CASES}
    assert {path.name for path in PLANS.glob("*.txt")} == known
