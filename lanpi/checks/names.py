"""Names and numbers that the Pi and the operator's side share."""

ACCOUNTS = ("lanpi-check-1", "lanpi-check-2")
"""The accounts that check each other; refused from anywhere but the Pi itself (etc/ejabberd/ejabberd.yml)."""

LIVE = "/run/lanpi/history.jsonl"
"""All samples, in memory: a card would wear."""
KEPT = "/var/lib/lanpi/checks/history.jsonl"
"""The same on the card, put there every few hours and at shutdown."""
SECRETS = "/var/lib/lanpi/checks/accounts.json"
ARCHIVED = "/run/lanpi/archived.json"
SETTINGS = "/etc/lanpi/checks.json"

MINUTES = 5
"""Between checks (lanpi-check.timer)."""
SAVE_SECONDS = 6 * 3600
"""Between writes to the card; what a power cut takes from the history, at most."""
FINE_SECONDS = 36 * 3600
"""So long every sample is kept: a whole day whenever one looks, and the afternoon before it."""
COARSE_SECONDS = 3600
"""Older samples are drawn together to one in this time …"""
KEEP_SECONDS = 30 * 86400
"""… and forgotten after this: about 430 and 680 lines, bounded."""
