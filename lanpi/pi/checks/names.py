"""Names and numbers that the Pi and the operator's side share."""

ACCOUNTS = ("lanpi-check-1", "lanpi-check-2")
"""The accounts that check each other; refused from anywhere but the Pi itself (etc/ejabberd/ejabberd.yml)."""

RESERVED_PREFIX = "lanpi-"
"""Names that begin with it are lanpi's own; nobody else can have them."""

LIVE = "/run/lanpi/history.jsonl"
"""All samples, in memory, because writing them would wear the card."""
KEPT = "/var/lib/lanpi/checks/history.jsonl"
"""The same on the card, put there every two hours and at shutdown."""
SECRETS = "/var/lib/lanpi/checks/accounts.json"
ARCHIVED = "/run/lanpi/archived.json"
SETTINGS = "/etc/lanpi/checks.json"
LOCK = "/run/lanpi/check.lock"
"""The lock of whoever checks or saves: two at once would empty each other's archive, and lose samples."""

MINUTES = 5
"""Between checks (lanpi-check.timer)."""
MISSED_SECONDS = 4 * MINUTES * 60
"""How long there may be no check, as after a boot, before one counts as missing."""
SAVE_SECONDS = 7200
"""Between writes to the card; what a power cut takes from the history, at most."""
REWRITE_LINES = 400
"""How many surplus lines the card may hold before the file is written again: a day and a half of checks."""
AHEAD_SECONDS = 86400
"""How far ahead of the clock a sample may be: it is from before a power cut, and the clock is behind."""
FINE_SECONDS = 36 * 3600
"""How long every sample is kept: always a whole day, and the afternoon before it."""
COARSE_SECONDS = 3600
"""Older samples are merged into one for each such period …"""
KEEP_SECONDS = 30 * 86400
"""… and forgotten after this: about 430 and 680 lines, bounded."""
