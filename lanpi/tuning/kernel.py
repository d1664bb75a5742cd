"""The kernel's part of the decision: swap, dirty pages, connections, disk and clock."""

from lanpi.config.model import Config
from lanpi.tuning import constants as k
from lanpi.tuning.model import DiskPlan, Inputs, PowerPlan, SwapPlan
from lanpi.tuning.split import clamp, whole_mib
from lanpi.tuning.take import Taker, show

CARDS = ("sd", "emmc", "usb")
"""Storage that wears out with writes, and is slow at them."""


def decide_swap(take: Taker, inputs: Inputs, config: Config) -> SwapPlan:
    """Compressed swap in memory, a file behind it; none of either where swap is off."""
    wanted = config.memory.swap
    if wanted == "off":
        return SwapPlan(zram_bytes=0, file_bytes=0)
    memory = inputs.memory_bytes
    zram = take.number(
        "swap.zram_bytes",
        whole_mib(memory * k.ZRAM_SHARE),
        f"{show(memory, 'bytes')} x {k.ZRAM_SHARE}",
        high=2 * memory,
        limit="compression gains a factor of two to three",
    )
    if isinstance(wanted, int):
        size, formula = wanted * k.MIB, "memory.swap"
    else:
        size = whole_mib(min(memory, inputs.storage_bytes * k.SWAP_FILE_STORAGE_SHARE))
        formula = "the size of the memory, at most a sixteenth of the file system"
        if inputs.storage in CARDS:
            size = min(size, k.SWAP_FILE_SD_MAX_BYTES)
            formula += f" and {show(k.SWAP_FILE_SD_MAX_BYTES, 'bytes')} on a card"
    file = take.number(
        "swap.file_bytes",
        size,
        formula,
        high=max(size, inputs.storage_bytes // 4),
        limit="a quarter of the file system",
    )
    return SwapPlan(zram_bytes=zram, file_bytes=file)


def decide_disk(take: Taker, inputs: Inputs) -> DiskPlan:
    """The journal's period, where there is an ext4 file system of our own on a card."""
    if inputs.virtual or inputs.filesystem != "ext4" or inputs.storage not in CARDS:
        return DiskPlan(commit_seconds=0)
    seconds = k.COMMIT_SECONDS[inputs.profile]
    return DiskPlan(take.number("disk.commit_seconds", seconds, f"by profile ({inputs.profile}); 0 leaves it alone"))


def decide_power(take: Taker, inputs: Inputs) -> PowerPlan:
    """The clock; a virtual machine has none of its own."""
    if inputs.virtual:
        return PowerPlan(governor="")
    return PowerPlan(take.word("power.governor", k.GOVERNOR[inputs.profile], f"by profile ({inputs.profile})"))


def decide_sysctl(take: Taker, inputs: Inputs, config: Config, sessions: int) -> dict[str, int | str]:
    """Kernel parameters by key."""
    memory = inputs.memory_bytes
    values: dict[str, int | str] = {}

    def put(key: str, value: float, formula: str) -> None:
        values[key] = take.number(f"sysctl.{key}", value, formula)

    if config.memory.swap != "off":
        put("vm.swappiness", k.SWAPPINESS_ZRAM, "swap goes to compressed memory first")
        put("vm.page-cluster", 0, "zram reads single pages quickly")
    put(
        "vm.dirty_background_bytes",
        clamp(whole_mib(memory / 100), 4 * k.MIB, 64 * k.MIB),
        f"1 % of {show(memory, 'bytes')}, 4 to 64 MiB",
    )
    put(
        "vm.dirty_bytes",
        clamp(whole_mib(memory / 25), 16 * k.MIB, 256 * k.MIB),
        f"4 % of {show(memory, 'bytes')}, 16 to 256 MiB",
    )
    expire, writeback = k.WRITEBACK_CENTISECONDS[inputs.profile]
    put("vm.dirty_expire_centisecs", expire, f"by profile ({inputs.profile}); 3000 by default")
    put("vm.dirty_writeback_centisecs", writeback, f"by profile ({inputs.profile}); 500 by default")
    put(
        "vm.min_free_kbytes",
        clamp(memory * k.MIN_FREE_SHARE / 1024, k.MIN_FREE_LOW_KB, k.MIN_FREE_HIGH_KB),
        f"1/64 of {show(memory, 'bytes')}, 4 to 64 MiB",
    )
    put("net.ipv4.tcp_max_syn_backlog", k.BACKLOG_MAX, "constant")
    put("net.ipv4.tcp_keepalive_time", k.KEEPALIVE_SECONDS, "constant; 7200 by default")
    put("net.ipv4.tcp_keepalive_intvl", k.KEEPALIVE_INTERVAL_SECONDS, "constant; 75 by default")
    put("net.ipv4.tcp_keepalive_probes", k.KEEPALIVE_PROBES, "constant; 9 by default")
    if config.network.firewall:
        put(
            "net.netfilter.nf_conntrack_max",
            clamp(k.CONNTRACK_PER_SESSION * sessions, k.CONNTRACK_MIN, k.CONNTRACK_MAX),
            f"{k.CONNTRACK_PER_SESSION} x {sessions:,} sessions, at least {k.CONNTRACK_MIN:,}",
        )
    return values
