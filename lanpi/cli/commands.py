"""The commands there are: name -> one line of help, in the order of ``lanpi --help``.

``lanpi NAME`` is the ``app`` of ``lanpi/cli/NAME.py``, imported only when it runs.
"""

COMMANDS: dict[str, str] = {
    "install": "Bring a Pi to a working messaging server, or mend one.",
    "status": "Say how a Pi is doing; for people, programs and monitoring.",
    "doctor": "Say what is wrong with a Pi, why, and how to mend it.",
    "logs": "The Pi's logs as one, in time order, without secrets.",
    "report": "Put what helpers need to know into one file.",
    "user": "Accounts: add, list, new passwords, remove.",
    "ca": "The certificate that phones must trust.",
    "tune": "Limits that fit the Pi: show, explain, change, undo.",
    "backup": "Backups: make, list, verify, prove, and the key to keep.",
    "restore": "Bring a backup back, on the same or another Pi.",
    "migrate": "Move a living server to a new Pi, with a short stop.",
    "uninstall": "Take lanpi off a Pi again.",
    "config": "Settings: the example, what is in effect, a check.",
    "host": "Short names for your Pis, and their host keys.",
    "virtual": "Virtual Pis on this machine.",
}
