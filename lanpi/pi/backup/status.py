"""What the backup records about itself; `lanpi status` and `lanpi doctor` read it."""

import json
from typing import Any

from lanpi.pi.backup.common import STATUS, now, read_json
from lanpi.pi.backup.document import RepositoryStatus, Status
from lanpi.pi.files import write_whole


def read() -> Status:
    """The whole document, with every key."""
    document: Status = {
        "last_success": "",
        "last_verified": "",
        "last_drill": "",
        "drill_server": False,
        "last_error": "",
        "key_saved": False,
        "repositories": {},
    }
    known: Any = read_json(STATUS)
    if known:
        document.update(known)
    return document


def update(**values: Any) -> None:
    """Change some values of ``Status``."""
    document: Any = read()
    _write(document | values)


def update_repository(location: str, **values: Any) -> None:
    """Change some values of one repository's ``RepositoryStatus``."""
    document = read()
    known: RepositoryStatus = document["repositories"].setdefault(location, {})
    changed: Any = values
    known.update(changed)
    _write(document)


def failed(what: str) -> None:
    """Record that the last run of something failed."""
    update(last_error=what, last_error_at=now())


def forget_repositories(locations: list[str]) -> None:
    """Keep only the configured repositories."""
    document = read()
    document["repositories"] = {name: known for name, known in document["repositories"].items() if name in locations}
    _write(document)


def _write(document: Status) -> None:
    write_whole(STATUS, json.dumps(document, indent=1, sort_keys=True) + "\n", mode=0o644)
