"""Where things are, on the operator's machine and on the Pi.

The Pi is the source of truth (docs/explanation/decisions.md): what must survive a lost
laptop lives under the ``PI_*`` paths; the operator's side keeps names and pinned host keys.
"""

import os
from pathlib import Path

PI_CONFIG = "/etc/lanpi/lanpi.yml"
"""The configuration in effect, as the last install left it."""
PI_SECRETS = "/etc/lanpi/secrets.json"
"""Generated passwords, 0600 root; made on the Pi once and never copied off it but in backups."""
PI_STATE = "/var/lib/lanpi"
"""What lanpi remembers about the Pi: what it installed, replaced and disabled."""
PI_INSTALLED = "/var/lib/lanpi/installed.json"
"""What is installed, versions included, and when it was last verified."""
PI_MOVED = "/var/lib/lanpi/moved.json"
"""Where this Pi's server has moved to; there while it must not run here (lanpi/pi/read/moved.py)."""
PI_LOCK = "/run/lanpi/lock"
"""Held while lanpi changes the Pi; in /run, so a power cut frees it."""
PI_TLS = "/etc/lanpi/tls"
"""ca.crt, ca.key, server.pem: the local authority and the server's certificate."""


def _xdg(variable: str, fallback: str) -> Path:
    """A base folder of the XDG Base Directory Specification 0.8 (relative values are ignored)."""
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / fallback


def operator_config() -> Path:
    """Folder of the operator's inventory and pinned host keys."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "lanpi"


def operator_state() -> Path:
    """Folder of the operator's log files."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "lanpi"


def operator_cache() -> Path:
    """Folder of what can be made again."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "lanpi"


def _data(name: str) -> Path:
    packaged = Path(__file__).parent / "data" / name
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / name


def playbooks() -> Path:
    """The playbooks folder: inside the wheel, or at the top of a checkout."""
    return _data("playbooks")


def templates() -> Path:
    """The Pi's file system as templates: inside the wheel, or at the top of a checkout."""
    return _data("templates")


def web() -> Path:
    """The built web pages: inside the wheel, or where web/assets.py puts them in a checkout."""
    packaged = Path(__file__).parent / "data" / "web"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "build" / "web"
