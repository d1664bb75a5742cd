"""One archive to send when asking for help: facts, findings, a day of logs, the configuration; no secrets."""

import io
import json
import tarfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lanpi import __version__
from lanpi.health.doctor import examine
from lanpi.health.doctor_document import document
from lanpi.health.evidence import Evidence
from lanpi.hosts.base import Host
from lanpi.logs.read import Entry, read_logs
from lanpi.pi.logs.secrets import redactor

DAY_SECONDS = 86_400.0


def build(host_name: str, evidence: Evidence, logs: list[Entry]) -> dict[str, bytes]:
    """The archive's files by name.

    The Pi has removed the values of secrets.json already; here anything else that looks like a secret is removed.
    """
    redact = redactor([])
    findings = examine(evidence)
    told = {
        "lanpi.txt": f"lanpi {__version__}\n",
        "facts.json": json.dumps(asdict(evidence.facts) | {"config_text": None}, indent=1, sort_keys=True),
        "evidence.json": json.dumps(_told(evidence), indent=1, sort_keys=True),
        "doctor.json": json.dumps(document(host_name, findings), indent=1, sort_keys=True),
        "lanpi.yml": evidence.facts.config_text or "",
        "logs.txt": "".join(f"{e.when:.3f} {e.source} {e.level} {e.text}\n" for e in logs),
    }
    return {name: redact(text).encode() for name, text in told.items()}


def _told(evidence: Evidence) -> dict[str, Any]:
    """The evidence without what has a file of its own."""
    found = asdict(evidence) | {"facts": None, "lines": None}
    del found["readings"]["config_text"]
    return found


def write(path: Path, files: dict[str, bytes]) -> None:
    """Write the archive, readable by its owner only.

    Raises:
        FileExistsError: the path exists already.
    """
    with path.open("xb") as file:
        path.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            for name, data in files.items():
                member = tarfile.TarInfo(f"lanpi-report/{name}")
                member.size, member.mode, member.mtime = len(data), 0o600, int(time.time())
                archive.addfile(member, io.BytesIO(data))


def day_of_logs(host: Host, *, root: bool) -> list[Entry]:
    """The last day's entries; without root only those that an ordinary user may read."""
    found: list[Entry] = []
    read_logs(host, found.append, root=root, since_seconds=DAY_SECONDS)
    return found
