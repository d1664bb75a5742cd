"""What the backup records about itself; `lanpi status` and `lanpi doctor` read it."""

import json

from lanpi.pi.backup.common import STATUS, now, read_json, write_whole

EMPTY = {
    "last_success": "",
    "last_verified": "",
    "last_drill": "",
    "drill_server": False,
    "last_error": "",
    "key_saved": False,
    "repositories": {},
}


def read():
    """The whole document, with every key."""
    return EMPTY | (read_json(STATUS) or {})


def _write(document):
    write_whole(STATUS, json.dumps(document, indent=1, sort_keys=True) + "\n", 0o644)


def update(**values):
    """Change some values."""
    _write(read() | values)


def update_repository(location, **values):
    """Change the values of one repository."""
    document = read()
    known = document["repositories"].get(location, {})
    document["repositories"] = document["repositories"] | {location: known | values}
    _write(document)


def failed(what):
    """Record that the last run of something failed."""
    update(last_error=what, last_error_at=now())


def forget_repositories(locations):
    """Keep only the configured repositories."""
    document = read()
    document["repositories"] = {name: known for name, known in document["repositories"].items() if name in locations}
    _write(document)
