"""The limits of a Pi as one frozen value: decided from facts, rendered into files by the roles.

Sizes are bytes, weights are systemd's 1-10000 (systemd.resource-control(5)), times are seconds.
The path of a value in here (``server.memory_high_bytes``) is its name for the user.
"""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Inputs:
    """What the decision was made from: all of the facts and settings that it looks at."""

    memory_bytes: int
    cores: int
    storage: str  # facts.model.StorageKind
    storage_bytes: int
    filesystem: str
    virtual: bool
    profile: str
    people: int | None
    database: str


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

    schedulers: int  # +S
    busy_wait: str  # +sbwt and its kin
    processes: int  # +P
    ports: int  # ERL_MAX_PORTS
    fullsweep_after: int  # ERL_FULLSWEEP_AFTER
    thread_allocators: str  # +Mut
    malloc_arenas: int  # MALLOC_ARENA_MAX

    @property
    def options(self) -> str:
        """ERL_OPTIONS, as erl(1) takes them."""
        wait = self.busy_wait
        return f"+S {self.schedulers} +sbwt {wait} +sbwtdcpu {wait} +sbwtdio {wait} +Mut {self.thread_allocators}"


@dataclass(frozen=True)
class ServerLimits:
    """ejabberd's own settings."""

    sessions: int  # the most expected, for all people together
    sql_pool_size: int
    redis_pool_size: int
    cache_size: int  # entries per cache
    sessions_per_person: int
    stanza_bytes: int
    rate_bytes_per_second: int  # c2s shaper
    burst_bytes: int
    backlog: int  # connections that wait to be accepted, per port


@dataclass(frozen=True)
class RedisLimits:
    """Redis as the in-memory store of sessions and routes."""

    memory_bytes: int
    policy: str
    clients: int
    hz: int  # background tasks a second


@dataclass(frozen=True)
class PostgresqlLimits:
    """PostgreSQL where it is the database; else all zero."""

    shared_buffers_bytes: int
    work_mem_bytes: int
    maintenance_work_mem_bytes: int
    effective_cache_size_bytes: int
    max_connections: int
    max_wal_size_bytes: int
    checkpoint_timeout_seconds: int
    wal_compression: str


@dataclass(frozen=True)
class SwapPlan:
    """Compressed swap in memory first, a file behind it."""

    zram_bytes: int
    file_bytes: int


@dataclass(frozen=True)
class DiskPlan:
    """How the root file system is mounted; 0 leaves it alone."""

    commit_seconds: int


@dataclass(frozen=True)
class PowerPlan:
    """The processor's clock; "" leaves the governor alone."""

    governor: str


@dataclass(frozen=True)
class Plan:
    """The whole decision."""

    inputs: Inputs
    server: UnitLimits
    cache: UnitLimits
    upkeep: UnitLimits
    erlang: ErlangLimits
    ejabberd: ServerLimits
    redis: RedisLimits
    postgresql: PostgresqlLimits
    swap: SwapPlan
    disk: DiskPlan
    power: PowerPlan
    sysctl: dict[str, int | str]

    @property
    def as_json(self) -> str:
        """All of it as text; :mod:`lanpi.deploy.limits_stored` reads it back."""
        return json.dumps(asdict(self), indent=1, sort_keys=True)


@dataclass(frozen=True)
class Setting:
    """One value of a plan, explained.

    Attributes:
        name: its path in the plan; the key of an override.
        value: what is proposed.
        computed: what the formula gives; differs from value where it is overridden.
        unit: bytes, count, weight, seconds, …; "" for words.
        formula: how it was computed, with this Pi's numbers.
        why: what it does.
        source: where the formula, the constant or the effect is documented or was measured.
        lands: file on the Pi and key in it.
        bounds: what an override may be, in words; "" where it cannot be overridden.
    """

    name: str
    value: int | str
    computed: int | str
    unit: str
    formula: str
    why: str
    source: str
    lands: str
    bounds: str

    @property
    def overridden(self) -> bool:
        """Whether lanpi.yml sets it."""
        return self.value != self.computed


@dataclass(frozen=True)
class Decision:
    """A plan and the explanation of each of its values."""

    plan: Plan
    settings: tuple[Setting, ...]
