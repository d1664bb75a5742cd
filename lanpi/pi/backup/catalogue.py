"""The existing snapshots: whose they are, listed and described, and which one the user means."""

import json
import re
import time
from collections.abc import Sequence
from typing import Any

from lanpi.pi.backup import status
from lanpi.pi.backup.common import Problem, Reporter
from lanpi.pi.backup.content import NAME, read_content, summary
from lanpi.pi.backup.document import Manifest, Snapshot
from lanpi.pi.backup.places import named, opened
from lanpi.pi.backup.restic import Restic

TAG = "lanpi:"


def tag(declared: Manifest) -> str:
    """Marks a Pi's snapshots: several Pis may share a repository, and each prunes only its own."""
    return f"{TAG}{declared['domain']}"


def snapshots(reporter: Reporter, declared: Manifest) -> None:
    """All snapshots of this Pi, of every repository."""
    rows, failures = [], []
    for location in declared["repositories"]:
        try:
            with opened(location) as repository:
                found = Restic(repository, location).snapshots("--tag", tag(declared))
        except Problem as problem:
            failures.append(named(location, problem.what))
            continue
        rows += [
            {
                "repository": location,
                "id": entry["short_id"],
                "time": entry["time"][:19] + "Z",
                "host": entry["hostname"],
            }
            for entry in found
        ]
    if failures and not rows:
        raise Problem("; ".join(failures))
    reporter.say("result", snapshots=rows, failures=failures)


def show(reporter: Reporter, declared: Manifest, name: str) -> None:
    """What one snapshot holds."""
    failures = []
    for location in declared["repositories"]:
        try:
            with opened(location) as repository:
                found = _shown(Restic(repository, location), declared, name)
        except Problem as problem:  # it may be in another one
            failures.append(named(location, problem.what))
            continue
        if found:
            verified = status.read()["repositories"].get(location, {}).get("last_verified", "")
            reporter.say("result", repository=location, verified=verified, **found)
            return
    if failures:
        raise Problem(f"no snapshot {name} was found; {'; '.join(failures)}", "Fix the problem, then try again")
    raise Problem(f"there is no snapshot {name}", "`lanpi backup list` shows all snapshots", "bad-input")


def _shown(restic: Restic, declared: Manifest, name: str) -> dict[str, Any] | None:
    ours = restic.snapshots("--tag", tag(declared))
    found = [entry for entry in ours if matches(entry, name)]
    if not found:
        return None
    chosen = newest(found)
    content = read_content(json.loads(restic.run("dump", "--no-lock", chosen["id"], f"/{NAME}")))
    return {"id": chosen["short_id"], **summary(content)}


def newest(found: Sequence[Snapshot], moment: float | None = None) -> Snapshot:
    """The newest snapshot, without those that a wrong clock dated after tomorrow: they would stay newest for years.

    moment: seconds since 1970; now, when None.
    """
    tomorrow = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime((time.time() if moment is None else moment) + 86400))
    return max([entry for entry in found if entry["time"][:19] <= tomorrow] or found, key=lambda entry: entry["time"])


def matches(entry: Snapshot, name: str) -> bool:
    """Whether a name refers to a snapshot: "latest", the beginning of its id, or made by a time (ISO 8601, UTC)."""
    if name == "latest":
        return True
    if re.fullmatch(r"\d{4}-\d\d-\d\d.*", name):
        return entry["time"][: len(name)] <= name.replace(" ", "T")
    return entry["id"].startswith(name)
