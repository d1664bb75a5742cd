"""Settings of the database server, swap, disk, clock and kernel."""

from lanpi.tuning import constants as k
from lanpi.tuning.knob import Knob, Unit

_SYSCTL = "/etc/sysctl.d/90-lanpi.conf"
_POSTGRESQL = "/etc/postgresql/VERSION/main/conf.d/lanpi.conf"
_VM, _NET = "kernel.org, admin-guide/sysctl/vm", "kernel.org, networking/ip-sysctl"
_PG = "PostgreSQL manual, server configuration"


def _sysctl(key: str, unit: Unit, why: str, source: str, low: int, high: int) -> Knob:
    return Knob(f"sysctl.{key}", unit, f"sysctl {key}", _SYSCTL, why, source, low, high)


SYSTEM = (
    Knob(
        "postgresql.shared_buffers_bytes",
        "bytes",
        f"line {_POSTGRESQL} shared_buffers =",
        _POSTGRESQL,
        "PostgreSQL's own cache",
        _PG,
        k.MIB,
    ),
    Knob(
        "postgresql.work_mem_bytes",
        "bytes",
        f"line {_POSTGRESQL} work_mem =",
        _POSTGRESQL,
        "memory for a sort in each connection before it spills to the card",
        _PG,
        65_536,
        2**40,
    ),
    Knob(
        "postgresql.maintenance_work_mem_bytes",
        "bytes",
        f"line {_POSTGRESQL} maintenance_work_mem =",
        _POSTGRESQL,
        "memory for vacuum and index builds",
        _PG,
        k.MIB,
        2**40,
    ),
    Knob(
        "postgresql.effective_cache_size_bytes",
        "bytes",
        f"line {_POSTGRESQL} effective_cache_size =",
        _POSTGRESQL,
        "how much cached data the planner may expect",
        _PG,
        k.MIB,
        2**43,
    ),
    Knob(
        "postgresql.max_connections",
        "count",
        f"line {_POSTGRESQL} max_connections =",
        _POSTGRESQL,
        "connections for ejabberd's pool, and a few for backups and checks",
        _PG,
        10,
        1000,
    ),
    Knob(
        "postgresql.max_wal_size_bytes",
        "bytes",
        f"line {_POSTGRESQL} max_wal_size =",
        _POSTGRESQL,
        "size of the log between two checkpoints; after each one, every changed page is logged in full again",
        _PG,
        32 * k.MIB,
        2**40,
    ),
    Knob(
        "postgresql.checkpoint_timeout_seconds",
        "seconds",
        f"line {_POSTGRESQL} checkpoint_timeout =",
        _POSTGRESQL,
        "time between checkpoints; a longer time writes less to the card",
        _PG,
        30,
        86_400,
    ),
    Knob(
        "postgresql.wal_compression",
        "",
        f"line {_POSTGRESQL} wal_compression =",
        _POSTGRESQL,
        "compresses the full pages in the log: more processor time, fewer writes",
        _PG,
        choices=("off", "pglz", "lz4"),
    ),
    Knob(
        "swap.zram_bytes",
        "bytes",
        "",
        "/etc/systemd/zram-generator.conf.d/lanpi.conf or /etc/rpi/swap.conf.d/90-lanpi.conf",
        "compressed swap in memory, used before the card",
        "kernel.org, admin-guide/blockdev/zram",
    ),
    Knob(
        "swap.file_bytes",
        "bytes",
        "",
        "/usr/lib/lanpi/swapfile, /etc/rpi/swap.conf.d/90-lanpi.conf or /etc/dphys-swapfile",
        "swap on the card, for emergencies",
        "swapon(8)",
    ),
    Knob(
        "disk.commit_seconds",
        "seconds",
        "",
        "/etc/systemd/system/lanpi-disk.service",
        "period of the file system's journal; a longer one writes less, and synced data are not at risk",
        "ext4(5), commit",
        0,
        300,
    ),
    Knob(
        "power.governor",
        "",
        "file /sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
        "/etc/systemd/system/lanpi-governor.service",
        "how the processor's clock is controlled",
        "kernel.org, admin-guide/pm/cpufreq",
        choices=("", "powersave", "ondemand", "schedutil", "conservative", "performance"),
    ),
    _sysctl("vm.swappiness", "", "how readily the kernel swaps before it drops caches", _VM, 0, 200),
    _sysctl(
        "vm.page-cluster", "", "pages read from swap at once (as a power of two); no read-ahead from zram", _VM, 0, 10
    ),
    _sysctl(
        "vm.dirty_background_bytes",
        "bytes",
        "the amount of unwritten data at which background writing starts, before it piles up for a slow card",
        _VM,
        8192,
        2**40,
    ),
    _sysctl(
        "vm.dirty_bytes",
        "bytes",
        "the amount of unwritten data at which writers must wait, which bounds how long an fsync stalls",
        _VM,
        8192,
        2**40,
    ),
    _sysctl(
        "vm.dirty_expire_centisecs", "1/100 s", "age at which unwritten data is written to the card", _VM, 100, 360_000
    ),
    _sysctl("vm.dirty_writeback_centisecs", "1/100 s", "how often the kernel looks for such data", _VM, 100, 360_000),
    _sysctl(
        "vm.min_free_kbytes",
        "KiB",
        "memory kept free for network drivers, which cannot wait for it",
        f"{_VM}; Raspberry Pi OS, 98-rpi.conf",
        1024,
        1_048_576,
    ),
    _sysctl(
        "net.ipv4.tcp_max_syn_backlog",
        "count",
        "half-open connections allowed when everybody reconnects at once",
        _NET,
        128,
        1_048_576,
    ),
    _sysctl(
        "net.ipv4.tcp_keepalive_time",
        "seconds",
        "silence after which the kernel probes for a dead phone",
        "tcp(7)",
        30,
        32_767,
    ),
    _sysctl("net.ipv4.tcp_keepalive_intvl", "seconds", "time between two such probes", "tcp(7)", 1, 32_767),
    _sysctl(
        "net.ipv4.tcp_keepalive_probes", "count", "unanswered probes after which the session ends", "tcp(7)", 1, 127
    ),
    Knob(
        "sysctl.net.netfilter.nf_conntrack_max",
        "count",
        "sysctl net.netfilter.nf_conntrack_max",
        "/etc/systemd/system/lanpi-firewall.service",
        "connections that the firewall can track; it drops new ones beyond that",
        "kernel.org, networking/nf_conntrack-sysctl",
        1024,
        2**31 - 1,
    ),
)
