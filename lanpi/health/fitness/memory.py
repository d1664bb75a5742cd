"""Swap and memory limits."""

from collections.abc import Iterator
from dataclasses import replace

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.health.finding import Finding
from lanpi.health.fitness.shared import as_preflight
from lanpi.health.table import TABLE

_ENABLE = "cgroup_enable=memory"


def findings(facts: Facts, config: Config) -> Iterator[Finding]:
    """Who owns swap, and whether the kernel holds services to memory limits."""
    [swap] = TABLE["swap-owners"].from_facts(facts, facts.clock.epoch_seconds)
    yield replace(as_preflight(swap, "swap"), text=swap.text)
    yield _memory_cgroup(facts, config)


def _memory_cgroup(facts: Facts, config: Config) -> Finding:
    boot = facts.boot
    [found] = TABLE["memory-limits"].from_facts(facts, facts.clock.epoch_seconds)
    if found.level == "ok":
        return as_preflight(found, "memory-limits")
    if facts.hardware.is_container and not boot.cmdline_path:
        step = "Nothing to do: the host of this container sets its limit"
    elif not config.memory.cgroup:
        step = "lanpi leaves it so, because memory.cgroup is false"
    elif _ENABLE in boot.kernel_cmdline.split():
        # Raspberry Pi kernels around 6.12.34 ignored the switch.
        step = "The kernel ignored the setting: upgrade it (sudo apt-get full-upgrade) and reboot"
    elif _ENABLE in boot.cmdline.split():
        step = "They are switched on, and take effect after a reboot"
    elif boot.cmdline_path:
        step = f"lanpi adds {_ENABLE} to {boot.cmdline_path}; this needs a reboot (pass --reboot)"
    else:
        step = f"Add {_ENABLE} to the boot loader's kernel command line"
    return as_preflight(found, "memory-limits", fix=step)
