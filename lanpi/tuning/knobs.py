"""What can be set: name, unit, bounds, where it lands, what it is good for, and where that is documented.

One line each. What has no known effect on a messaging server on a Pi is not here;
docs/reference/tune.md lists what was left out and why.
"""

from dataclasses import dataclass
from typing import Literal

from lanpi.tuning import constants as k

Unit = Literal["bytes", "KiB", "count", "weight", "score", "seconds", "1/100 s", "bytes/s", "per second", ""]


@dataclass(frozen=True)
class Knob:
    """A value that a plan holds.

    Attributes:
        name: path in the plan.
        unit: of the value.
        low, high: what the kernel, systemd, Erlang, Redis or PostgreSQL accept; a decision may narrow them.
        choices: the words it can be, instead of a number.
        now: how the value in effect is read: "unit NAME PROPERTY", "sysctl KEY", "line FILE START",
            "file GLOB" (words in brackets win), "mount /", "".
        lands: file on the Pi.
        why: effect, in one line.
        source: of the effect or of the bounds.
        fixed: cannot be overridden; says which setting to change instead.
    """

    name: str
    unit: Unit
    now: str
    lands: str
    why: str
    source: str
    low: int = 0
    high: int = 2**62
    choices: tuple[str, ...] = ()
    fixed: str = ""


_IM, _CACHE, _UPKEEP = (f"/etc/systemd/system/lanpi-{name}.slice" for name in ("im", "cache", "upkeep"))
_DROPIN = "/etc/systemd/system/ejabberd.service.d/lanpi.conf"
_REDIS_DROPIN = "/etc/systemd/system/redis-server.service.d/lanpi.conf"
_EJABBERD, _ERLANG, _REDIS = "/etc/ejabberd/ejabberd.yml", "/etc/default/ejabberd", "/etc/redis/redis.conf"
_SYSCTL = "/etc/sysctl.d/90-lanpi.conf"
_POSTGRESQL = "/etc/postgresql/VERSION/main/conf.d/lanpi.conf"
_RESOURCE, _EXEC = "systemd.resource-control(5)", "systemd.exec(5)"
_VM, _NET = "kernel.org, admin-guide/sysctl/vm", "kernel.org, networking/ip-sysctl"
_PG = "PostgreSQL manual, server configuration"


def _slice(part: str, unit: str, file: str, who: str) -> tuple[Knob, ...]:
    return (
        Knob(
            f"{part}.cpu_weight",
            "weight",
            f"unit {unit} CPUWeight",
            file,
            f"processor time of {who} when several want it (100 is everybody's)",
            _RESOURCE,
            1,
            10_000,
        ),
        Knob(
            f"{part}.io_weight",
            "weight",
            f"unit {unit} IOWeight",
            file,
            f"card time of {who} when several want it (100 is everybody's)",
            _RESOURCE,
            1,
            10_000,
        ),
        Knob(
            f"{part}.tasks_max",
            "count",
            f"unit {unit} TasksMax",
            file,
            f"threads of {who} at most, so that a runaway cannot take the system's",
            _RESOURCE,
            16,
            32_768,
        ),
    )


def _memory(part: str, unit: str, file: str, who: str, *kinds: str) -> tuple[Knob, ...]:
    whys = {
        "low": f"memory of {who} that others' needs do not take away",
        "high": f"above it {who} is slowed down and swapped rather than killed",
        "max": f"above it {who} is ended instead of the system",
    }
    return tuple(
        Knob(
            f"{part}.memory_{kind}_bytes",
            "bytes",
            f"unit {unit} Memory{kind.title()}",
            file,
            whys[kind],
            _RESOURCE,
            k.MIB,
        )
        for kind in kinds
    )


def _sysctl(key: str, unit: Unit, why: str, source: str, low: int, high: int) -> Knob:
    return Knob(f"sysctl.{key}", unit, f"sysctl {key}", _SYSCTL, why, source, low, high)


_ALL = (
    *_slice("server", "lanpi-im.slice", _IM, "ejabberd"),
    *_memory("server", "lanpi-im.slice", _IM, "ejabberd", "low", "high", "max"),
    Knob(
        "server.open_files",
        "count",
        "unit ejabberd.service LimitNOFILE",
        _DROPIN,
        "a socket for each session; running out of them ends the whole node",
        _EXEC,
        1024,
        k.OPEN_FILES_MAX,
    ),
    Knob(
        "server.oom_score_adjust",
        "score",
        "unit ejabberd.service OOMScoreAdjust",
        _DROPIN,
        "who is killed when memory is gone: the highest first",
        _EXEC,
        -999,
        1000,
    ),
    *_slice("cache", "lanpi-cache.slice", _CACHE, "Redis"),
    *_memory("cache", "lanpi-cache.slice", _CACHE, "Redis", "low", "max"),
    Knob(
        "cache.oom_score_adjust",
        "score",
        "unit redis-server.service OOMScoreAdjust",
        _REDIS_DROPIN,
        "who is killed when memory is gone: the highest first",
        _EXEC,
        -999,
        1000,
    ),
    *_slice("upkeep", "lanpi-upkeep.slice", _UPKEEP, "backup and checks"),
    *_memory("upkeep", "lanpi-upkeep.slice", _UPKEEP, "backup and checks", "high"),
    Knob(
        "erlang.schedulers",
        "count",
        "word /etc/default/ejabberd +S",
        _ERLANG,
        "threads that run Erlang; fewer than there are cores wake less often",
        "erl(1), +S",
        1,
        k.SCHEDULERS_MAX,
    ),
    Knob(
        "erlang.busy_wait",
        "",
        "word /etc/default/ejabberd +sbwt",
        _ERLANG,
        "idle threads sleep instead of spinning; measured: 0.76 instead of 1.03 CPU s per thousand messages",
        "erl(1), +sbwt, +sbwtdcpu, +sbwtdio",
        choices=("none", "very_short", "short", "medium", "long", "very_long"),
    ),
    Knob(
        "erlang.processes",
        "count",
        "line /etc/default/ejabberd ERL_PROCESSES=",
        _ERLANG,
        "Erlang processes at most; each session has a few",
        "erl(1), +P",
        k.ERLANG_TABLE_MIN,
        k.ERLANG_TABLE_MAX,
    ),
    Knob(
        "erlang.ports",
        "count",
        "line /etc/default/ejabberd ERL_MAX_PORTS=",
        _ERLANG,
        "Erlang ports at most; each connection has two or three",
        "erl(1), +Q; Debian's /etc/default/ejabberd",
        k.ERLANG_TABLE_MIN,
        k.ERLANG_TABLE_MAX,
    ),
    Knob(
        "erlang.fullsweep_after",
        "count",
        "line /etc/default/ejabberd export ERL_FULLSWEEP_AFTER=",
        _ERLANG,
        "collections that leave old garbage alone; measured: 0 brings a session from 370-415 KB to 58-69 KB",
        "erlang:spawn_opt/4, fullsweep_after",
        0,
        65_535,
    ),
    Knob(
        "ejabberd.sessions",
        "count",
        "",
        "",
        "connected devices that it is sized for",
        "lanpi/tuning/constants.py, SESSION_BYTES",
        fixed="tune.people",
    ),
    Knob(
        "ejabberd.sql_pool_size",
        "count",
        f"line {_EJABBERD} sql_pool_size:",
        _EJABBERD,
        "database connections; SQLite has one writer",
        "ejabberd's start-up log; docs.ejabberd.im, sql_pool_size",
        1,
        100,
    ),
    Knob(
        "ejabberd.redis_pool_size",
        "count",
        f"line {_EJABBERD} redis_pool_size:",
        _EJABBERD,
        "connections to Redis; each answers many requests at a time",
        "docs.ejabberd.im, redis_pool_size",
        1,
        100,
    ),
    Knob(
        "ejabberd.cache_size",
        "count",
        f"line {_EJABBERD} cache_size:",
        _EJABBERD,
        "entries in each of ejabberd's caches, so that a login asks the database less",
        "docs.ejabberd.im, cache_size",
        1,
        10_000_000,
    ),
    Knob(
        "ejabberd.sessions_per_person",
        "count",
        f"line {_EJABBERD} max_user_sessions:",
        _EJABBERD,
        "devices of one account at once, so that one cannot take all",
        "docs.ejabberd.im, max_user_sessions",
        1,
        10_000,
    ),
    Knob(
        "ejabberd.stanza_bytes",
        "bytes",
        f"line {_EJABBERD} max_stanza_size:",
        _EJABBERD,
        "largest single stanza: bounds the memory that one sender can ask for",
        "RFC 6120 13.12",
        k.STANZA_MIN_BYTES,
        16 * k.MIB,
    ),
    Knob(
        "ejabberd.rate_bytes_per_second",
        "bytes/s",
        f"word {_EJABBERD} {{rate:",
        _EJABBERD,
        "what one session may send for long, so that a flood slows down its sender alone",
        "docs.ejabberd.im, shaper",
        1000,
        1_000_000_000,
    ),
    Knob(
        "ejabberd.burst_bytes",
        "bytes",
        f"word {_EJABBERD} burst_size:",
        _EJABBERD,
        "what one session may send at once before the rate holds",
        "docs.ejabberd.im, shaper",
        1000,
        1_000_000_000,
    ),
    Knob(
        "ejabberd.backlog",
        "count",
        f"line {_EJABBERD} backlog:",
        _EJABBERD,
        "connections that may wait when everybody comes back at once",
        "listen(2)",
        1,
        k.BACKLOG_MAX,
    ),
    Knob(
        "redis.memory_bytes",
        "bytes",
        f"line {_REDIS} maxmemory",
        _REDIS,
        "sessions and routes; when it is full Redis refuses, and nobody new gets in",
        "redis.conf, maxmemory",
        k.MIB,
    ),
    Knob(
        "redis.policy",
        "",
        f"line {_REDIS} maxmemory-policy",
        _REDIS,
        "refuse rather than evict: an evicted session is a person cut off without notice",
        "redis.conf, maxmemory-policy",
        choices=(
            "noeviction",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
        ),
    ),
    Knob(
        "redis.clients",
        "count",
        f"line {_REDIS} maxclients",
        _REDIS,
        "connections to Redis at most: ejabberd's pool, checks, and room",
        "redis.conf, maxclients",
        1,
        10_000,
    ),
    Knob(
        "redis.hz",
        "per second",
        f"line {_REDIS} hz",
        _REDIS,
        "background tasks; fewer wake an idle Pi less often",
        "redis.conf, hz",
        1,
        500,
    ),
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
        "memory of a sort in each connection before it goes to the card",
        _PG,
        65_536,
        2**40,
    ),
    Knob(
        "postgresql.maintenance_work_mem_bytes",
        "bytes",
        f"line {_POSTGRESQL} maintenance_work_mem =",
        _POSTGRESQL,
        "memory of vacuum and index builds",
        _PG,
        k.MIB,
        2**40,
    ),
    Knob(
        "postgresql.effective_cache_size_bytes",
        "bytes",
        f"line {_POSTGRESQL} effective_cache_size =",
        _POSTGRESQL,
        "what the planner may expect in memory",
        _PG,
        k.MIB,
        2**43,
    ),
    Knob(
        "postgresql.max_connections",
        "count",
        f"line {_POSTGRESQL} max_connections =",
        _POSTGRESQL,
        "ejabberd's pool and a few for backup and checks",
        _PG,
        10,
        1000,
    ),
    Knob(
        "postgresql.max_wal_size_bytes",
        "bytes",
        f"line {_POSTGRESQL} max_wal_size =",
        _POSTGRESQL,
        "log between two checkpoints; each checkpoint writes every page again in full",
        _PG,
        32 * k.MIB,
        2**40,
    ),
    Knob(
        "postgresql.checkpoint_timeout_seconds",
        "seconds",
        f"line {_POSTGRESQL} checkpoint_timeout =",
        _POSTGRESQL,
        "time between checkpoints: longer writes less to the card",
        _PG,
        30,
        86_400,
    ),
    Knob(
        "postgresql.wal_compression",
        "",
        f"line {_POSTGRESQL} wal_compression =",
        _POSTGRESQL,
        "compress the full pages in the log: processor for writes",
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
        "period of the file system's journal: longer writes less; what was fsynced is not at risk",
        "ext4(5), commit",
        0,
        300,
    ),
    Knob(
        "power.governor",
        "",
        "file /sys/devices/system/cpu/cpufreq/policy0/scaling_governor",
        "/etc/systemd/system/lanpi-governor.service",
        "the processor's clock",
        "kernel.org, admin-guide/pm/cpufreq",
        choices=("", "powersave", "ondemand", "schedutil", "conservative", "performance"),
    ),
    _sysctl("vm.swappiness", "", "how readily memory goes to swap before caches are dropped", _VM, 0, 200),
    _sysctl("vm.page-cluster", "", "pages read from swap at once (power of two); none ahead from zram", _VM, 0, 10),
    _sysctl(
        "vm.dirty_background_bytes",
        "bytes",
        "from here on written back in the background, before it piles up in front of a slow card",
        _VM,
        8192,
        2**40,
    ),
    _sysctl(
        "vm.dirty_bytes",
        "bytes",
        "from here on writers wait: bounds the stall of an fsync on a slow card",
        _VM,
        8192,
        2**40,
    ),
    _sysctl("vm.dirty_expire_centisecs", "1/100 s", "age at which written data goes to the card", _VM, 100, 360_000),
    _sysctl("vm.dirty_writeback_centisecs", "1/100 s", "how often it is looked for", _VM, 100, 360_000),
    _sysctl(
        "vm.min_free_kbytes",
        "KiB",
        "kept free for the network drivers, which cannot wait for memory",
        f"{_VM}; Raspberry Pi OS, 98-rpi.conf",
        1024,
        1_048_576,
    ),
    _sysctl(
        "net.ipv4.tcp_max_syn_backlog",
        "count",
        "half-open connections when everybody comes back at once",
        _NET,
        128,
        1_048_576,
    ),
    _sysctl(
        "net.ipv4.tcp_keepalive_time", "seconds", "silence after which a dead phone is looked for", "tcp(7)", 30, 32_767
    ),
    _sysctl("net.ipv4.tcp_keepalive_intvl", "seconds", "time between two such probes", "tcp(7)", 1, 32_767),
    _sysctl("net.ipv4.tcp_keepalive_probes", "count", "unanswered probes that end the session", "tcp(7)", 1, 127),
    Knob(
        "sysctl.net.netfilter.nf_conntrack_max",
        "count",
        "sysctl net.netfilter.nf_conntrack_max",
        "/etc/systemd/system/lanpi-firewall.service",
        "connections that the firewall can follow; new ones beyond it are dropped",
        "kernel.org, networking/nf_conntrack-sysctl",
        1024,
        2**31 - 1,
    ),
)

KNOBS: dict[str, Knob] = {knob.name: knob for knob in _ALL}
"""All of them by name, in the order in which they are shown."""
