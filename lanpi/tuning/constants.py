"""The numbers behind the limits, each with its source; formulas are in lanpi/tuning/decide.py."""

MIB = 1024 * 1024

MEMORY_STEP_BYTES = 16 * MIB
"""Memory is rounded down to this before anything is decided: a kernel upgrade that reserves a few
kilobytes more must not rewrite every limit and restart the server."""

SYSTEM_RESERVE_BYTES = 160 * MIB
"""Kept for the kernel, systemd, SSH and a login. An assumption on the safe side, not a measurement
of every image: a container with systemd and sshd holds a third of it."""
SYSTEM_RESERVE_SHARE = 0.375
"""Of the memory at most, where the Pi is so small that the reserve would leave the server nothing."""

SERVER_SHARE = {"eco": 0.45, "balanced": 0.60, "max": 0.75}
"""Share of the memory beyond the reserve at which ejabberd is throttled, by profile."""
SERVER_MAX_OVER_HIGH = 1.15
"""MemoryMax over MemoryHigh: room between throttling and the end (systemd.resource-control(5))."""
CACHE_SHARE = 0.08
CACHE_MIN_BYTES, CACHE_MAX_BYTES = 16 * MIB, 256 * MIB
"""Redis holds about a kilobyte per session; small on every Pi."""
CACHE_MAX_OVER_DATA = 2
"""Redis' process beyond its data: buffers, fragmentation, the program itself."""
UPKEEP_SHARE = 0.25
"""restic and the checks may use a quarter; they are throttled beyond it, never the server."""

CPU_WEIGHTS = {"server": 800, "cache": 900, "upkeep": 20}
IO_WEIGHTS = {"server": 800, "cache": 500, "upkeep": 20}
"""systemd's default is 100 (systemd.resource-control(5)): ours before the rest, upkeep after it."""

TASKS = {"server": 512, "cache": 64, "upkeep": 256}
"""Threads, not Erlang processes: two for each core, ten for files, a handful of helpers."""

OOM_SCORE = {"server": -500, "cache": -700, "upkeep": 500}
"""proc(5), oom_score_adj: sshd has -1000 by its own hand; the server goes last of what can go."""

SESSION_BYTES = {"eco": 80_000, "balanced": 70_000, "max": 62_000}
"""Memory of the server per connected session, with headroom for messages under way. Measured over TLS on a
1 GB virtual Pi (benchmarks/load.py): 58 KB with 2,000 sessions, after SCRAM as after PLAIN, 61 KB with 10,000."""
SERVER_BASE_BYTES = 80 * MIB
"""ejabberd with nobody connected; measured: 67-74 MB with these limits, 80-84 MB with Debian's (benchmarks/load.py)."""
SESSIONS_MIN = 50
"""What the smallest Pi must hold: a family."""
DEVICES_PER_PERSON = 2
"""tune.people counts people; a phone and a computer each. An assumption: there is nothing to read it from."""

OPEN_FILES_MIN = 8192
OPEN_FILES_MAX = 1_048_576
"""The kernel's default fs.nr_open, beyond which LimitNOFILE fails (kernel.org, admin-guide/sysctl/fs)."""
FILES_PER_SESSION = 2
"""A socket each, and as many again for uploads, databases and reconnects that overlap."""
PORTS_PER_SESSION = 3
"""ejabberd uses two or three Erlang ports per connection (Debian's /etc/default/ejabberd)."""
PROCESSES_PER_SESSION = 3
PROCESSES_MIN, PORTS_MIN = 65_536, 16_384
MALLOC_ARENAS = 2
"""glibc makes up to eight for each core, and each keeps what is freed in it (mallopt(3), M_ARENA_MAX)."""
ERLANG_TABLE_MIN, ERLANG_TABLE_MAX = 1024, 134_217_727
"""What +P and +Q accept (erl(1))."""
SCHEDULERS_MAX = 1024
"""What +S accepts (erl(1))."""

SQL_POOL_SQLITE = 1
"""ejabberd's own start-up log: "It's not recommended to set sql_pool_size > 1 for sqlite"."""
SQL_POOL_MIN, SQL_POOL_MAX = 2, 8
REDIS_POOL = 2
CACHE_ENTRIES_MIN, CACHE_ENTRIES_MAX = 500, 20_000
BACKLOG_MIN, BACKLOG_MAX = 128, 4096
"""listen(2): silently cut to net.core.somaxconn, 4096 since Linux 5.4."""

STANZA_BYTES = 262_144
STANZA_MIN_BYTES = 10_000
"""RFC 6120 13.12 asks for at least 10,000; avatars and OMEMO device lists need far more."""
RATE_BYTES_PER_SECOND = 20_000
BURST_BYTES = 200_000
SESSIONS_PER_PERSON = 10

REDIS_CLIENTS = 256
REDIS_CLIENTS_KEPT = 8
"""For redis-cli and checks, beside ejabberd's pool."""
REDIS_HZ = {"eco": 1, "balanced": 10, "max": 10}
"""redis.conf: 1-500, default 10; "raising the value will use more CPU when Redis is idle"."""

ZRAM_SHARE = 0.5
"""Half of the memory, as Fedora's and rpi-swap's defaults: at 2:1 it costs a quarter when full."""
SWAP_FILE_SD_MAX_BYTES = 1024 * MIB
"""On a card the file is for emergencies only."""
SWAP_FILE_STORAGE_SHARE = 1 / 16
"""Of the file system's size, not of what is free: a limit that follows the free space would change
with every message."""

SWAPPINESS_ZRAM, SWAPPINESS_FILE = 100, 10
"""kernel.org, admin-guide/sysctl/vm: 0-200, 60 by default; 100 where swap costs as little as rereading
a file (compressed memory), low where each page swapped is a write to the card."""

MIN_FREE_SHARE = 1 / 64
MIN_FREE_LOW_KB, MIN_FREE_HIGH_KB = 4096, 65_536
"""16 MB on a 1 GB Pi, which is what Raspberry Pi OS sets (98-rpi.conf) against failed allocations of
network drivers."""

CONNTRACK_PER_SESSION = 4
CONNTRACK_MIN, CONNTRACK_MAX = 65_536, 4_194_304
"""The firewall tracks each connection, and when the table is full the kernel drops new ones. Its default
is a bucket for each 16 KB of memory divided by the pointer size: 8192 on a 1 GB Pi
(kernel.org, networking/nf_conntrack-sysctl). An entry is allocated only when it is used."""

KEEPALIVE_SECONDS, KEEPALIVE_INTERVAL_SECONDS, KEEPALIVE_PROBES = 600, 60, 5
"""tcp(7): after two hours by default; a phone that left without a word frees its session after 15 minutes."""

COMMIT_SECONDS = {"eco": 60, "balanced": 30, "max": 0}
"""ext4(5), commit: the journal's period, 5 s by default. What was fsynced, as every database write is,
does not wait for it."""
WRITEBACK_CENTISECONDS = {"eco": (6000, 1500), "balanced": (3000, 500), "max": (3000, 500)}
"""dirty_expire and dirty_writeback (kernel.org, admin-guide/sysctl/vm): 3000 and 500 by default. Written
down in every profile: a key that merely goes from the file keeps its value until the next boot."""
GOVERNOR = {"eco": "powersave", "balanced": "", "max": "performance"}
"""kernel.org, admin-guide/pm/cpufreq: the lowest clock, what the image chose, the highest clock."""

POSTGRESQL_SHARE = 0.25
POSTGRESQL_BUFFERS_MAX_BYTES = 2048 * MIB
"""PostgreSQL's manual, shared_buffers: a quarter of the memory it may have is a reasonable start."""
POSTGRESQL_MIN_BYTES = 32 * MIB
POSTGRESQL_CONNECTIONS_KEPT = 12
"""Beside ejabberd's pool: superuser's three, backup, checks."""
POSTGRESQL_WORK_MEM_BYTES = (1 * MIB, 16 * MIB)
