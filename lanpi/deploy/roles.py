"""What the roles declare (playbooks/roles/ROLE/defaults/main.yml), as it is written there."""

import re
from pathlib import Path
from typing import Any

import yaml

from lanpi import paths

ROLES = (
    "base",
    "memory",
    "logs",
    "network",
    "redis",
    "tls",
    "limits",
    "database",
    "im",
    "web",
    "backup",
    "checks",
    "metrics",
)
"""In the order in which their units come up."""

# libyaml's where PyYAML was built with it: a dozen files are read for each status.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EXPRESSION = re.compile(r"\{\{.*?\}\}")


def declarations(roles: Path | None = None) -> dict[str, dict[str, Any]]:
    """The roles' own declarations: role -> its defaults/main.yml."""
    folder = roles or paths.playbooks() / "roles"
    return {
        role: yaml.load((folder / role / "defaults/main.yml").read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - safe too
        for role in ROLES
    }


def kept_units() -> tuple[str, ...]:
    """Names of the units that the roles keep running under some configuration; patterns, as systemctl takes them.

    What a name says of the Pi, such as PostgreSQL's version, is "*".
    """
    entries = [entry for role, known in declarations().items() for entry in known.get(f"{role}_units") or []]
    names = (_EXPRESSION.sub("*", entry["name"]) for entry in entries if entry["state"] != "stopped")
    return tuple(dict.fromkeys(names))
