"""From facts and configuration to limits: a pure decision; each value comes with its formula."""

from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.tuning import constants as k
from lanpi.tuning.kernel import decide_disk, decide_power, decide_swap, decide_sysctl
from lanpi.tuning.model import (
    Decision,
    ErlangLimits,
    Inputs,
    Plan,
    PostgresqlLimits,
    RedisLimits,
    ServerLimits,
    UnitLimits,
)
from lanpi.tuning.split import Split, clamp, split_memory, whole_mib
from lanpi.tuning.take import Taker, show


def plan_limits(facts: Facts, config: Config) -> Plan:
    """Decide how a Pi's memory, processor and card are shared; see :func:`decide`."""
    return decide(facts, config).plan


def inputs_of(facts: Facts, config: Config) -> Inputs:
    """The facts and settings that the decision depends on; memory in steps, so that small changes do not alter it."""
    return Inputs(
        memory_bytes=facts.hardware.memory_bytes // k.MEMORY_STEP_BYTES * k.MEMORY_STEP_BYTES,
        cores=facts.hardware.cores,
        storage=facts.storage.kind,
        storage_bytes=whole_mib(facts.storage.root_total_bytes),
        filesystem=facts.storage.root_fstype,
        virtual=facts.hardware.is_virtual,
        profile=config.tune.profile,
        people=config.tune.people,
        database=config.database,
    )


def decide(facts: Facts, config: Config) -> Decision:
    """Decide how a Pi's memory, processor and card are shared.

    Args:
        facts: of the Pi; memory, cores and storage are what counts.
        config: profile, people, overrides, database, swap, firewall.

    Returns:
        The limits and where each comes from; the same input gives the same decision.

    Raises:
        LanpiError: BAD_INPUT for more people than fit, or an override that is out of bounds.
    """
    inputs = inputs_of(facts, config)
    split = split_memory(inputs)
    _refuse_too_many(inputs, split)
    take = Taker(config.tune.overrides)
    sessions = split.sessions
    if inputs.people is None:
        formula = (
            f"({show(split.server_high, 'bytes')} - {show(k.SERVER_BASE_BYTES, 'bytes')} at rest) / "
            f"{k.SESSION_BYTES[inputs.profile]:,} B a session"
        )
    else:
        formula = f"{inputs.people} people x {k.DEVICES_PER_PERSON} devices; {split.capacity:,} would fit"
    take.number("ejabberd.sessions", sessions, formula)
    server, high = _server(take, inputs, split)
    cache, redis = _cache(take, inputs, split)
    ejabberd = _ejabberd(take, inputs, sessions)
    plan = Plan(
        inputs=inputs,
        server=server,
        cache=cache,
        upkeep=_upkeep(take, split, high),
        erlang=_erlang(take, inputs, sessions),
        ejabberd=ejabberd,
        redis=redis,
        postgresql=_postgresql(take, inputs, split, ejabberd.sql_pool_size),
        swap=decide_swap(take, inputs, config),
        disk=decide_disk(take, inputs),
        power=decide_power(take, inputs),
        sysctl=decide_sysctl(take, inputs, config, sessions),
    )
    return Decision(plan, take.finish())


def people_that_fit(facts: Facts, config: Config) -> int:
    """How many people this Pi holds with this profile."""
    return split_memory(inputs_of(facts, config)).capacity // k.DEVICES_PER_PERSON


def _refuse_too_many(inputs: Inputs, split: Split) -> None:
    fit = split.capacity // k.DEVICES_PER_PERSON
    if inputs.people is None or inputs.people <= fit:
        return
    raise LanpiError(
        f"{inputs.people} people are too many for this Pi: with the profile {inputs.profile} it can serve {fit} "
        f"({k.DEVICES_PER_PERSON} devices each)",
        next_step=f"Set tune.people to {fit} or less" + ("" if inputs.profile == "max" else ", or use the profile max"),
        exit_code=ExitCode.BAD_INPUT,
    )


def _server(take: Taker, inputs: Inputs, split: Split) -> tuple[UnitLimits, int]:
    usable = f"{show(inputs.memory_bytes, 'bytes')} - {show(split.reserve, 'bytes')} for the system"
    share = k.SERVER_SHARE[inputs.profile]
    most = split.usable - k.CACHE_MAX_OVER_DATA * split.cache - split.database
    rest = f"the system keeps {show(split.reserve, 'bytes')}, and Redis and the database get their share"
    highest = take.number(
        "server.memory_max_bytes",
        split.server_max,
        f"high x {k.SERVER_MAX_OVER_HIGH}, at most what the others leave: {show(most, 'bytes')}",
        low=64 * k.MIB,
        high=most,
        limit=rest,
    )
    high = take.number(
        "server.memory_high_bytes",
        min(split.server_high, highest),
        f"({usable}) x {share} ({inputs.profile})",
        low=64 * k.MIB,
        high=highest,
        limit="not above server.memory_max_bytes",
    )
    low = take.number(
        "server.memory_low_bytes",
        min(split.server_low, high),
        f"0.8 x what {split.sessions:,} sessions need",
        high=high,
        limit="not above server.memory_high_bytes",
    )
    files = clamp(k.FILES_PER_SESSION * split.sessions, k.OPEN_FILES_MIN, k.OPEN_FILES_MAX)
    limits = UnitLimits(
        cpu_weight=take.number("server.cpu_weight", k.CPU_WEIGHTS["server"], "8 x systemd's default"),
        io_weight=take.number("server.io_weight", k.IO_WEIGHTS["server"], "8 x systemd's default"),
        memory_low_bytes=low,
        memory_high_bytes=high,
        memory_max_bytes=highest,
        tasks_max=take.number("server.tasks_max", k.TASKS["server"], "constant: threads, not Erlang processes"),
        open_files=take.number(
            "server.open_files",
            files,
            f"{k.FILES_PER_SESSION} x {split.sessions:,} sessions, at least {k.OPEN_FILES_MIN:,}",
        ),
        oom_score_adjust=take.number(
            "server.oom_score_adjust", k.OOM_SCORE["server"], "killed last, except for sshd and Redis"
        ),
    )
    return limits, high


def _cache(take: Taker, inputs: Inputs, split: Split) -> tuple[UnitLimits, RedisLimits]:
    data = take.number(
        "redis.memory_bytes",
        split.cache,
        f"{k.CACHE_SHARE} of what the system leaves, {show(k.CACHE_MIN_BYTES, 'bytes')} to "
        f"{show(k.CACHE_MAX_BYTES, 'bytes')}",
        high=split.cache * k.CACHE_MAX_OVER_DATA,
        limit="the limit of Redis's slice",
    )
    highest = take.number(
        "cache.memory_max_bytes",
        k.CACHE_MAX_OVER_DATA * split.cache,
        f"{k.CACHE_MAX_OVER_DATA} x Redis's data",
        low=max(data, 16 * k.MIB),
        high=k.CACHE_MAX_OVER_DATA * split.cache,
        limit="not below redis.memory_bytes; the server gets the rest",
    )
    limits = UnitLimits(
        cpu_weight=take.number("cache.cpu_weight", k.CPU_WEIGHTS["cache"], "9 x systemd's default"),
        io_weight=take.number("cache.io_weight", k.IO_WEIGHTS["cache"], "5 x systemd's default"),
        memory_low_bytes=take.number(
            "cache.memory_low_bytes", min(data, highest) // 2 or k.MIB, "half of Redis's data", high=highest
        ),
        memory_high_bytes=0,
        memory_max_bytes=highest,
        tasks_max=take.number("cache.tasks_max", k.TASKS["cache"], "constant"),
        open_files=k.OPEN_FILES_MIN,
        oom_score_adjust=take.number("cache.oom_score_adjust", k.OOM_SCORE["cache"], "small, and ejabberd needs it"),
    )
    redis = RedisLimits(
        memory_bytes=data,
        policy=take.word("redis.policy", "noeviction", "constant"),
        clients=take.number(
            "redis.clients",
            k.REDIS_CLIENTS,
            "constant: one pool and checks",
            low=k.REDIS_POOL + k.REDIS_CLIENTS_KEPT,
            limit="ejabberd's pool and the checks need this many",
        ),
        hz=take.number("redis.hz", k.REDIS_HZ[inputs.profile], f"by profile ({inputs.profile})"),
    )
    return limits, redis


def _upkeep(take: Taker, split: Split, server_high: int) -> UnitLimits:
    rest = split.usable - server_high - split.cache - split.database
    return UnitLimits(
        cpu_weight=take.number("upkeep.cpu_weight", k.CPU_WEIGHTS["upkeep"], "a fifth of systemd's default"),
        io_weight=take.number("upkeep.io_weight", k.IO_WEIGHTS["upkeep"], "a fifth of systemd's default"),
        memory_low_bytes=0,
        memory_high_bytes=take.number(
            "upkeep.memory_high_bytes",
            max(k.MIB, min(split.upkeep_high, whole_mib(rest))),
            f"{k.UPKEEP_SHARE} of what the system leaves, at most what the server leaves",
            high=max(k.MIB, rest),
            limit="what the server leaves",
        ),
        memory_max_bytes=0,
        tasks_max=take.number("upkeep.tasks_max", k.TASKS["upkeep"], "constant"),
        open_files=k.OPEN_FILES_MIN,
        oom_score_adjust=k.OOM_SCORE["upkeep"],
    )


def _erlang(take: Taker, inputs: Inputs, sessions: int) -> ErlangLimits:
    cores = max(1, min(inputs.cores, k.SCHEDULERS_MAX))
    schedulers, formula = cores, f"one for each of {cores} cores"
    if inputs.profile == "eco":
        schedulers, formula = max(1, cores // 2), f"eco: half of {cores} cores"
    return ErlangLimits(
        schedulers=take.number("erlang.schedulers", schedulers, formula, high=cores, limit="the number of cores"),
        busy_wait=take.word("erlang.busy_wait", "none", "constant"),
        processes=take.number(
            "erlang.processes",
            max(k.PROCESSES_MIN, k.PROCESSES_PER_SESSION * sessions),
            f"{k.PROCESSES_PER_SESSION} x {sessions:,} sessions, at least {k.PROCESSES_MIN:,}",
        ),
        ports=take.number(
            "erlang.ports",
            max(k.PORTS_MIN, k.PORTS_PER_SESSION * sessions),
            f"{k.PORTS_PER_SESSION} x {sessions:,} sessions, at least {k.PORTS_MIN:,}",
        ),
        fullsweep_after=take.number("erlang.fullsweep_after", 0, "constant: a full collection every time"),
        thread_allocators=take.word("erlang.thread_allocators", "false", "constant: one memory pool for all threads"),
        malloc_arenas=take.number("erlang.malloc_arenas", k.MALLOC_ARENAS, "constant"),
    )


def _ejabberd(take: Taker, inputs: Inputs, sessions: int) -> ServerLimits:
    if inputs.database == "sqlite":
        pool, formula = k.SQL_POOL_SQLITE, "SQLite: one writer"
    else:
        pool = clamp(inputs.cores, k.SQL_POOL_MIN, k.SQL_POOL_MAX)
        formula = f"one for each of {inputs.cores} cores, {k.SQL_POOL_MIN} to {k.SQL_POOL_MAX}"
    return ServerLimits(
        sessions=sessions,
        sql_pool_size=take.number("ejabberd.sql_pool_size", pool, formula),
        redis_pool_size=take.number("ejabberd.redis_pool_size", k.REDIS_POOL, "constant", high=k.REDIS_POOL * 4),
        cache_size=take.number(
            "ejabberd.cache_size",
            clamp(sessions * 2, k.CACHE_ENTRIES_MIN, k.CACHE_ENTRIES_MAX),
            f"2 x {sessions:,} sessions, {k.CACHE_ENTRIES_MIN:,} to {k.CACHE_ENTRIES_MAX:,}",
        ),
        sessions_per_person=take.number("ejabberd.sessions_per_person", k.SESSIONS_PER_PERSON, "constant"),
        stanza_bytes=take.number("ejabberd.stanza_bytes", k.STANZA_BYTES, "constant"),
        rate_bytes_per_second=take.number("ejabberd.rate_bytes_per_second", k.RATE_BYTES_PER_SECOND, "constant"),
        burst_bytes=take.number("ejabberd.burst_bytes", k.BURST_BYTES, "constant"),
        backlog=take.number(
            "ejabberd.backlog",
            clamp(sessions // 4, k.BACKLOG_MIN, k.BACKLOG_MAX),
            f"a quarter of {sessions:,} sessions, {k.BACKLOG_MIN} to {k.BACKLOG_MAX:,}",
        ),
    )


def _postgresql(take: Taker, inputs: Inputs, split: Split, pool: int) -> PostgresqlLimits:
    if inputs.database != "postgresql":
        return PostgresqlLimits(0, 0, 0, 0, 0, 0, 0, "off")
    connections = take.number(
        "postgresql.max_connections",
        pool + k.POSTGRESQL_CONNECTIONS_KEPT,
        f"{pool} for ejabberd + {k.POSTGRESQL_CONNECTIONS_KEPT}",
        low=pool + 5,
        limit="ejabberd's pool and the superuser need this many",
    )
    # Half for the cache; the other half for sorts, vacuum and the processes themselves.
    half = split.database // 2
    buffers = whole_mib(min(half, k.POSTGRESQL_BUFFERS_MAX_BYTES))
    part = f"database's share {show(split.database, 'bytes')}"
    return PostgresqlLimits(
        shared_buffers_bytes=take.number(
            "postgresql.shared_buffers_bytes", buffers, f"half of the {part}", high=split.database, limit=part
        ),
        work_mem_bytes=take.number(
            "postgresql.work_mem_bytes",
            clamp(half // connections // 2, *k.POSTGRESQL_WORK_MEM_BYTES) // 1024 * 1024,
            f"a quarter of the {part} / {connections} connections, 1 to 16 MiB",
            high=max(k.POSTGRESQL_WORK_MEM_BYTES[0], half // pool),
            limit=part,
        ),
        maintenance_work_mem_bytes=take.number(
            "postgresql.maintenance_work_mem_bytes",
            max(8 * k.MIB, whole_mib(half // 4)),
            f"an eighth of the {part}, at least 8 MiB",
            high=max(8 * k.MIB, half),
            limit=part,
        ),
        effective_cache_size_bytes=take.number(
            "postgresql.effective_cache_size_bytes",
            max(buffers, whole_mib(split.usable // 4)),
            "a quarter of what the system leaves",
            high=split.usable,
            limit="what the system leaves",
        ),
        max_connections=connections,
        max_wal_size_bytes=take.number(
            "postgresql.max_wal_size_bytes",
            512 * k.MIB,
            "half of PostgreSQL's default, for small cards",
            high=max(512 * k.MIB, inputs.storage_bytes // 8),
            limit="an eighth of the file system",
        ),
        checkpoint_timeout_seconds=take.number(
            "postgresql.checkpoint_timeout_seconds",
            1800 if inputs.profile == "eco" else 900,
            f"by profile ({inputs.profile}); 300 s by default",
        ),
        wal_compression=take.word("postgresql.wal_compression", "lz4", "constant"),
    )
