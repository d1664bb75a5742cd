"""How memory is shared: the system's reserve first, then the cache, the database, the server, the upkeep."""

from dataclasses import dataclass

from lanpi.tuning import constants as k
from lanpi.tuning.model import Inputs


def whole_mib(value: float) -> int:
    """Bytes rounded down to whole MiB."""
    return int(value) // k.MIB * k.MIB


def clamp(value: float, low: int, high: int) -> int:
    """The nearest whole number within bounds."""
    return int(min(max(value, low), high))


@dataclass(frozen=True)
class Split:
    """Bytes for each part; ``usable`` is what the system's reserve leaves."""

    usable: int
    reserve: int
    cache: int
    database: int
    server_high: int
    server_max: int
    server_low: int
    upkeep_high: int
    sessions: int
    capacity: int


def split_memory(inputs: Inputs) -> Split:
    """Share the memory.

    Every part only grows with the memory, and reserve + cache's most + database + server's most never
    exceed it; nor do reserve + cache + database + server's high + upkeep's high.

    Args:
        inputs: memory in bytes, profile, people, database.

    Returns:
        The parts; ``capacity`` is the sessions that fit, ``sessions`` those that it is sized for.
    """
    memory, profile = inputs.memory_bytes, inputs.profile
    reserve = min(k.SYSTEM_RESERVE_BYTES, int(memory * k.SYSTEM_RESERVE_SHARE))
    usable = memory - reserve
    cache = whole_mib(clamp(usable * k.CACHE_SHARE, k.CACHE_MIN_BYTES, k.CACHE_MAX_BYTES))
    # A separate database server gets its memory out of the messaging server's share.
    database = 0
    if inputs.database == "postgresql":
        database = whole_mib(
            clamp(usable * k.POSTGRESQL_SHARE, k.POSTGRESQL_MIN_BYTES, 2 * k.POSTGRESQL_BUFFERS_MAX_BYTES)
        )
    most = usable - k.CACHE_MAX_OVER_DATA * cache - database
    needed = k.SERVER_BASE_BYTES + k.SESSIONS_MIN * k.SESSION_BYTES[profile] + k.MIB  # rounded down below
    server_high = whole_mib(min(max((usable - database) * k.SERVER_SHARE[profile], needed), most))
    server_max = whole_mib(min(server_high * k.SERVER_MAX_OVER_HIGH, most))
    capacity = clamp(
        (server_high - k.SERVER_BASE_BYTES) // k.SESSION_BYTES[profile],
        0,
        k.OPEN_FILES_MAX // k.FILES_PER_SESSION,
    )
    sessions = capacity
    if inputs.people is not None:
        sessions = min(capacity, inputs.people * k.DEVICES_PER_PERSON)
    protected = min(server_high, k.SERVER_BASE_BYTES + sessions * k.SESSION_BYTES[profile])
    rest = usable - server_high - cache - database
    return Split(
        usable=usable,
        reserve=reserve,
        cache=cache,
        database=database,
        server_high=server_high,
        server_max=server_max,
        server_low=whole_mib(protected * 0.8),
        upkeep_high=whole_mib(max(k.MIB, min(usable * k.UPKEEP_SHARE, rest))),
        sessions=sessions,
        capacity=capacity,
    )
