"""The roles' declarations (playbooks/roles/ROLE/defaults/main.yml), as they are written there."""

import re
from functools import cache
from pathlib import Path

import yaml

from lanpi import paths
from lanpi.deploy.declaration import Declaration, parse_declaration

ROLES = (
    "base", "memory", "logs", "network", "redis", "tls", "limits", "database", "im", "calls", "mqtt", "web",
    "pages", "alerts", "backup", "checks", "metrics",
)  # fmt: skip
"""In the order in which their units start."""

# libyaml's where PyYAML was built with it: a dozen files are read for each status.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EXPRESSION = re.compile(r"\{\{.*?\}\}")


@cache
def declarations(roles: Path | None = None) -> dict[str, Declaration]:
    """The roles' own declarations, checked: role -> its defaults/main.yml.

    Raises:
        LanpiError: FAILED when one is not as the schema has it; names file, entry and key.
    """
    folder = roles or paths.playbooks() / "roles"
    found = {}
    for role in ROLES:
        file = folder / role / "defaults/main.yml"
        raw = yaml.load(file.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - safe too
        found[role] = parse_declaration(role, raw, str(file))
    return found


def kept_units() -> tuple[str, ...]:
    """Names of the units that the roles keep running under some configuration; patterns, as systemctl takes them.

    What a name says of the Pi, such as PostgreSQL's version, is "*".
    """
    entries = [entry for declared in declarations().values() for entry in declared.units]
    names = (_EXPRESSION.sub("*", entry.name) for entry in entries if entry.state != "stopped")
    return tuple(dict.fromkeys(names))
