"""The limits of a Pi as one frozen value: decided from facts, rendered into files by the roles.

Sizes are bytes, weights are systemd's 1-10000 (systemd.resource-control(5)), times are seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class UnitLimits:
    """What one systemd slice or service gets.

    ``memory_low`` is protected from reclaim, above ``memory_high`` the kernel throttles and
    reclaims, ``memory_max`` ends the unit; 0 means no limit of that kind.
    """

    cpu_weight: int
    io_weight: int
    memory_low_bytes: int
    memory_high_bytes: int
    memory_max_bytes: int
    tasks_max: int
    open_files: int
    oom_score_adjust: int


@dataclass(frozen=True)
class ErlangLimits:
    """The Erlang VM that runs ejabberd."""

    options: str  # ERL_OPTIONS, as erl(1) takes them
    processes: int  # +P
    ports: int  # +Q
    ets_tables: int
    fullsweep_after: int  # ERL_FULLSWEEP_AFTER


@dataclass(frozen=True)
class ServerLimits:
    """ejabberd's own settings."""

    sql_pool_size: int
    redis_pool_size: int
    cache_size: int  # entries per cache
    sessions_per_person: int
    stanza_bytes: int
    rate_bytes_per_second: int  # c2s shaper
    burst_bytes: int
    sessions: int  # expected at most, all people together


@dataclass(frozen=True)
class RedisLimits:
    """Redis as the in-memory store of sessions and routes."""

    memory_bytes: int
    policy: str
    clients: int


@dataclass(frozen=True)
class SwapPlan:
    """Compressed swap in memory first, a file behind it."""

    zram_bytes: int
    file_bytes: int


@dataclass(frozen=True)
class Plan:
    """The whole decision."""

    server: UnitLimits
    cache: UnitLimits
    upkeep: UnitLimits
    erlang: ErlangLimits
    ejabberd: ServerLimits
    redis: RedisLimits
    swap: SwapPlan
    sysctl: dict[str, int | str]
