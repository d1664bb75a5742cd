"""All commands: name -> one line of help, in the order of ``lanpi --help``.

``lanpi NAME`` is the ``app`` of ``lanpi/cli/NAME.py``, imported only when it runs.
"""

COMMANDS: dict[str, str] = {
    "install": "Install lanpi on a Pi, or bring an installation up to date.",
    "status": "Show how a Pi is doing.",
    "doctor": "Find out what is wrong with a Pi, and fix it.",
    "logs": "Show a Pi's logs in time order, without secrets.",
    "report": "Write a report to send to someone who helps you.",
    "invite": "Invite people: a link and a QR code for each.",
    "user": "Add, list and remove accounts, and change passwords.",
    "group": "Manage groups: people who see each other and share a room.",
    "room": "Create, list and destroy rooms for group chats.",
    "announce": "Send everybody a message from the server.",
    "ca": "Show the certificate that phones must trust.",
    "tune": "Show, explain and change the limits of a Pi's services.",
    "backup": "Make, list, verify and test backups.",
    "alert": "Choose how the Pi tells you about failures, and test it.",
    "restore": "Restore a backup, on the same Pi or another one.",
    "migrate": "Move a running server to a new Pi.",
    "uninstall": "Remove lanpi from a Pi.",
    "config": "Show and check settings.",
    "host": "Manage short names and host keys of your Pis.",
    "completion": "Print the completion script for your shell.",
    "virtual": "Run virtual Pis on this machine.",
}
