"""The Pi's side of the lock: a lease in a file under /run, looked at and written in one step (flock(2))."""

import fcntl
import json
import sys
import time
from pathlib import Path
from typing import Any

from lanpi.pi.files import write_whole

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def ask(verb: str, token: str, holder: str, lease_seconds: float, path: Path) -> dict[str, Any]:
    """Acquire, renew or release the lease.

    Args:
        verb: ``acquire`` takes a lease that is free, ended or our own; ``renew`` and ``release`` only our own.
        token: of this holder.
        holder: who that is, for people.
        lease_seconds: without renewal for this long, a lease has ended.
        path: the lease's file.

    Returns:
        mine, holder, since, silent (seconds), taken_from, boot: as ``lanpi.deploy.lock.Answer`` describes them.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with Path(f"{path}.guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        held = _held(path)
        now = time.monotonic()
        ended = held is None or now - held["renewed"] > lease_seconds
        mine = held is not None and held["token"] == token
        taken_from = ""
        if verb == "release":
            if mine:
                path.unlink()
        elif mine or (ended and verb == "acquire"):
            if not mine and held is not None:
                taken_from = held["holder"]
            since = held["since"] if mine and held else time.strftime("%Y-%m-%d %H:%M:%S")
            lease = {"token": token, "holder": holder, "since": since, "renewed": now}
            write_whole(path, json.dumps(lease), mode=0o644)
            mine = True
        held = held or {}
        return {
            "mine": mine,
            "holder": held.get("holder", ""),
            "since": held.get("since", ""),
            "silent": now - held.get("renewed", now),
            "taken_from": taken_from,
            "boot": BOOT_ID.read_text().strip(),
        }


def _held(path: Path) -> dict[str, Any] | None:
    try:
        held: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return held


def main() -> None:
    """Command line: verb, token, holder, lease in seconds, path."""
    verb, token, holder, lease_seconds, path = sys.argv[1:]
    json.dump(ask(verb, token, holder, float(lease_seconds), Path(path)), sys.stdout)
