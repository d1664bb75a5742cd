"""The numbers behind the limits, each with its source; formulas are in lanpi/tuning/decide.py."""

MIB = 1024 * 1024

SYSTEM_RESERVE_BYTES = 160 * MIB
"""Kept for the kernel, systemd, SSH and a login: what a Raspberry Pi OS Lite uses at rest."""

SERVER_SHARE = {"eco": 0.45, "balanced": 0.60, "max": 0.75}
"""Share of the memory beyond the reserve at which ejabberd is throttled, by profile."""
SERVER_MAX_OVER_HIGH = 1.15
"""MemoryMax over MemoryHigh: room between throttling and the end (systemd.resource-control(5))."""
CACHE_SHARE = 0.08
CACHE_MIN_BYTES, CACHE_MAX_BYTES = 16 * MIB, 256 * MIB
"""Redis holds about a kilobyte per session; small on every Pi."""
UPKEEP_SHARE = 0.25
"""restic and the checks may use a quarter; they are throttled beyond it, never the server."""

CPU_WEIGHTS = {"server": 800, "cache": 900, "upkeep": 20}
IO_WEIGHTS = {"server": 800, "cache": 500, "upkeep": 20}
"""systemd's default is 100 (systemd.resource-control(5)): ours before the rest, upkeep after it."""

OOM_SCORE = {"server": -500, "cache": -700, "upkeep": 500}
"""proc(5), oom_score_adj: sshd has -1000 by its own hand; the server goes last of what can go."""

SESSION_BYTES = {"eco": 80_000, "balanced": 65_000, "max": 55_000}
"""Memory of the server per connected session, with headroom for messages under way."""
SERVER_BASE_BYTES = 110 * MIB
"""ejabberd with nobody connected."""

PORTS_PER_SESSION = 3
"""ejabberd uses two or three Erlang ports per connection (Debian's /etc/default/ejabberd)."""
PROCESSES_PER_SESSION = 3
OPEN_FILES_MIN = 8192
SQL_POOL_SQLITE = 1
"""ejabberd's own start-up log: "It's not recommended to set sql_pool_size > 1 for sqlite"."""
SQL_POOL_PER_CORE = 1
REDIS_POOL = 2

STANZA_BYTES = 262_144
"""RFC 6120 13.12 asks for at least 10,000; avatars and OMEMO device lists need far more."""
RATE_BYTES_PER_SECOND = 20_000
BURST_BYTES = 200_000
SESSIONS_PER_PERSON = 10

ZRAM_SHARE = 0.5
"""Half of the memory, as Fedora's and rpi-swap's defaults: at 2:1 it costs a quarter when full."""
SWAP_FILE_SD_MAX_BYTES = 1024 * MIB
"""On a card the file is for emergencies only."""
