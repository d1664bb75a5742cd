"""Machines to decide for."""

from dataclasses import replace
from pathlib import Path

from lanpi.facts.model import Facts
from lanpi.facts.read import facts_from_json
from lanpi.tuning.constants import MIB

RECORDED = Path(__file__).parents[2] / "data/facts/pi3b-trixie/facts.json"


def machine(
    memory_mib: float,
    *,
    cores: int = 4,
    storage: str = "sd",
    storage_gib: int = 32,
    filesystem: str = "ext4",
    virtual: bool = False,
    container: bool = False,
    limits: bool = True,
) -> Facts:
    """A recorded Pi with another size."""
    facts = facts_from_json(RECORDED.read_text())
    return replace(
        facts,
        hardware=replace(
            facts.hardware,
            memory_bytes=int(memory_mib * MIB),
            cores=cores,
            is_virtual=virtual,
            is_container=container,
        ),
        storage=replace(
            facts.storage,
            kind=storage,
            root_total_bytes=storage_gib * 1024 * MIB,
            root_free_bytes=storage_gib * 512 * MIB,
            root_fstype=filesystem,
        ),
        boot=replace(facts.boot, memory_cgroup=limits),
    )
