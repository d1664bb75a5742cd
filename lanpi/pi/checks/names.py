"""Names and numbers that the Pi and the operator's side share."""

ACCOUNTS = ("lanpi-check-1", "lanpi-check-2")
"""The accounts that check each other; refused from anywhere but the Pi itself (etc/ejabberd/ejabberd.yml)."""

LIVE = "/run/lanpi/history.jsonl"
"""All samples, in memory: a card would wear."""
KEPT = "/var/lib/lanpi/checks/history.jsonl"
"""The same on the card, put there every two hours and at shutdown."""
SECRETS = "/var/lib/lanpi/checks/accounts.json"
ARCHIVED = "/run/lanpi/archived.json"
SETTINGS = "/etc/lanpi/checks.json"
LOCK = "/run/lanpi/check.lock"
"""Held by whoever checks or saves: two at a time would empty each other's archive, and lose samples."""

MINUTES = 5
"""Between checks (lanpi-check.timer)."""
MISSED_SECONDS = 4 * MINUTES * 60
"""So long without a check, as after a boot, before it counts as one that is missing."""
SAVE_SECONDS = 7200
"""Between writes to the card; what a power cut takes from the history, at most."""
REWRITE_LINES = 400
"""So many lines too many may be on the card before all of it is written anew: about one day and a half of checks."""
AHEAD_SECONDS = 86400
"""So far ahead of the clock a sample may be: it comes from before a power cut, and the clock is behind."""
FINE_SECONDS = 36 * 3600
"""So long every sample is kept: a whole day whenever one looks, and the afternoon before it."""
COARSE_SECONDS = 3600
"""Older samples are drawn together to one in this time …"""
KEEP_SECONDS = 30 * 86400
"""… and forgotten after this: about 430 and 680 lines, bounded."""
