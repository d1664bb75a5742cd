"""The parts of a plan that this machine will not enforce, with the fix for each."""

from dataclasses import dataclass

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.health.fitness.memory import findings
from lanpi.tuning.model import Setting

CONTAINER_SYSCTLS = ("sysctl.vm.", "sysctl.net.netfilter.")
"""Not in a namespace of their own: a container cannot set them (namespaces(7))."""


@dataclass(frozen=True)
class Unenforced:
    """Settings that have no effect on this machine: why, and what to do about it."""

    names: tuple[str, ...]
    why: str
    next_step: str


def unenforced(facts: Facts, config: Config, settings: tuple[Setting, ...]) -> tuple[Unenforced, ...]:
    """The settings that are written down but not enforced.

    Args:
        facts: of the Pi.
        config: the configuration in effect.
        settings: of the decision.
    """
    found = []
    memory = next(finding for finding in findings(facts, config) if finding.id == "memory-limits")
    if memory.level != "ok":
        names = tuple(
            setting.name for setting in settings if ".memory_" in setting.name and setting.lands.endswith(".slice")
        )
        found.append(Unenforced(names, memory.text, memory.fix))
    if facts.hardware.is_container:
        names = tuple(setting.name for setting in settings if setting.name.startswith(CONTAINER_SYSCTLS))
        found.append(
            Unenforced(
                names,
                "a container shares its host's kernel, which has one value for all",
                "Nothing to do: a real Pi has its own",
            )
        )
        swap = tuple(setting.name for setting in settings if setting.name.startswith("swap."))
        if swap:
            found.append(Unenforced(swap, "a container uses its host's swap", "Nothing to do: a real Pi has its own"))
    return tuple(found)
