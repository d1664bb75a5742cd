"""Swap and memory limits."""

from collections.abc import Iterator

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.preflight.finding import Finding, ok, warning

_ENABLE = "cgroup_enable=memory"


def findings(facts: Facts, config: Config) -> Iterator[Finding]:
    """Who owns swap, and whether the kernel holds services to memory limits."""
    swap = facts.swap
    if len(swap.owners) > 1:
        yield warning(
            "swap",
            f"swap is set up twice: {' and '.join(swap.owners)}",
            f"Keep {swap.owner}, which lanpi configures, and remove the other",
        )
    else:
        size = f", {swap.total_bytes / 1024**2:.0f} MiB" if swap.total_bytes else ""
        yield ok("swap", f"swap by {swap.owner}{size}" if swap.owner != "none" else "no swap yet")
    yield _memory_cgroup(facts, config)


def _memory_cgroup(facts: Facts, config: Config) -> Finding:
    boot = facts.boot
    if boot.memory_cgroup:
        return ok("memory-limits", "the kernel enforces memory limits")
    text = "the kernel does not enforce memory limits"
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
    return warning("memory-limits", text, step)
