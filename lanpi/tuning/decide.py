"""From facts and configuration to limits: a pure decision."""

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.tuning import constants as k
from lanpi.tuning.model import (
    ErlangLimits,
    Plan,
    RedisLimits,
    ServerLimits,
    SwapPlan,
    UnitLimits,
)


def _clamp(value: float, low: int, high: int) -> int:
    return int(min(max(value, low), high))


def _whole_mib(value: float) -> int:
    return int(value) // k.MIB * k.MIB


def plan_limits(facts: Facts, config: Config) -> Plan:
    """Decide how a Pi's memory, processor and card are shared.

    Args:
        facts: of the Pi; memory and cores are what counts.
        config: the profile, the number of people if one is named, the kind of swap.

    Returns:
        The limits; the same input gives the same plan.
    """
    profile = config.tune.profile
    memory = facts.hardware.memory_bytes
    usable = max(memory - k.SYSTEM_RESERVE_BYTES, memory // 4)

    cache = _whole_mib(_clamp(usable * k.CACHE_SHARE, k.CACHE_MIN_BYTES, k.CACHE_MAX_BYTES))
    server_high = _whole_mib(usable * k.SERVER_SHARE[profile])
    server_max = min(_whole_mib(server_high * k.SERVER_MAX_OVER_HIGH), usable - cache)
    sessions = max(50, (server_high - k.SERVER_BASE_BYTES) // k.SESSION_BYTES[profile])
    open_files = max(k.OPEN_FILES_MIN, 2 * sessions)

    return Plan(
        server=UnitLimits(
            cpu_weight=k.CPU_WEIGHTS["server"],
            io_weight=k.IO_WEIGHTS["server"],
            memory_low_bytes=_whole_mib(server_high * 0.8),
            memory_high_bytes=server_high,
            memory_max_bytes=server_max,
            tasks_max=512,
            open_files=open_files,
            oom_score_adjust=k.OOM_SCORE["server"],
        ),
        cache=UnitLimits(
            cpu_weight=k.CPU_WEIGHTS["cache"],
            io_weight=k.IO_WEIGHTS["cache"],
            memory_low_bytes=cache // 2,
            memory_high_bytes=0,
            memory_max_bytes=2 * cache,
            tasks_max=64,
            open_files=k.OPEN_FILES_MIN,
            oom_score_adjust=k.OOM_SCORE["cache"],
        ),
        upkeep=UnitLimits(
            cpu_weight=k.CPU_WEIGHTS["upkeep"],
            io_weight=k.IO_WEIGHTS["upkeep"],
            memory_low_bytes=0,
            memory_high_bytes=_whole_mib(usable * k.UPKEEP_SHARE),
            memory_max_bytes=0,
            tasks_max=256,
            open_files=k.OPEN_FILES_MIN,
            oom_score_adjust=k.OOM_SCORE["upkeep"],
        ),
        erlang=ErlangLimits(
            # No busy waiting (erl(1), +sbwt and its kin): on a Pi the processor has other work.
            options="+sbwt none +sbwtdcpu none +sbwtdio none",
            processes=max(65_536, k.PROCESSES_PER_SESSION * sessions),
            ports=max(16_384, k.PORTS_PER_SESSION * sessions),
            ets_tables=2053,
            fullsweep_after=0,
        ),
        ejabberd=ServerLimits(
            sql_pool_size=k.SQL_POOL_SQLITE
            if config.database == "sqlite"
            else max(2, min(8, facts.hardware.cores * k.SQL_POOL_PER_CORE)),
            redis_pool_size=k.REDIS_POOL,
            cache_size=_clamp(sessions * 2, 500, 20_000),
            sessions_per_person=k.SESSIONS_PER_PERSON,
            stanza_bytes=k.STANZA_BYTES,
            rate_bytes_per_second=k.RATE_BYTES_PER_SECOND,
            burst_bytes=k.BURST_BYTES,
            sessions=sessions,
        ),
        redis=RedisLimits(memory_bytes=cache, policy="noeviction", clients=256),
        swap=_plan_swap(facts, config),
        sysctl={
            # Compressed swap is fast: swap early (kernel.org, admin-guide/sysctl/vm, "swappiness").
            "vm.swappiness": 100,
            "vm.dirty_background_bytes": _clamp(memory * 0.01, 4 * k.MIB, 64 * k.MIB),
            "vm.dirty_bytes": _clamp(memory * 0.04, 16 * k.MIB, 256 * k.MIB),
            "net.core.somaxconn": 4096,
            "net.ipv4.tcp_max_syn_backlog": 4096,
            "net.ipv4.tcp_keepalive_time": 600,
            "net.ipv4.tcp_keepalive_intvl": 60,
            "net.ipv4.tcp_keepalive_probes": 5,
        },
    )


def _plan_swap(facts: Facts, config: Config) -> SwapPlan:
    wanted = config.memory.swap
    memory = facts.hardware.memory_bytes
    if wanted == "off":
        return SwapPlan(zram_bytes=0, file_bytes=0)
    zram = _whole_mib(memory * k.ZRAM_SHARE)
    if isinstance(wanted, int):
        return SwapPlan(zram_bytes=zram, file_bytes=wanted * k.MIB)
    room = facts.storage.root_free_bytes // 8
    size = min(memory, room)
    if facts.storage.kind in ("sd", "emmc"):
        size = min(size, k.SWAP_FILE_SD_MAX_BYTES)
    return SwapPlan(zram_bytes=zram, file_bytes=_whole_mib(size))
