"""What lanpi remembers on the Pi, so that every change can be finished and undone.

One JSON file, written atomically. ``files`` maps a path to what was there before lanpi
("created", or where the original is kept), ``folders`` are those made for a file, ``packages``
those that were not installed before, ``units`` the enablement found before lanpi changed it,
``digests`` the SHA-256 of what lanpi last placed at a path (so that a later change by somebody else is seen),
``pending`` the restarts and reloads that written files still ask for: noted before a file is
written and cleared after the restart, so a power cut in between loses none.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

FOLDER = Path("/var/lib/lanpi")
STATE = FOLDER / "state.json"
ORIGINALS = FOLDER / "originals"


def write_atomically(path, data, mode, uid=0, gid=0):
    """Replace ``path`` by ``data`` so that a power cut leaves either the old or the new file.

    Args:
        path: where the file lands; its folder is made when missing (0755).
        data: bytes.
        mode: permission bits.
        uid, gid: owner and group.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".lanpi", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class State:
    """The remembered state; :meth:`save` writes it when it changed."""

    def __init__(self):
        self._loaded = STATE.read_text() if STATE.exists() else "{}"
        data = json.loads(self._loaded)
        self.files = data.get("files", {})
        self.digests = data.get("digests", {})
        self.packages = data.get("packages", [])
        self.units = data.get("units", {})
        self.pending = data.get("pending", {})
        self.stopped = data.get("stopped", [])
        self.folders = data.get("folders", [])

    def save(self):
        """Write the state if it differs from what is on disk."""
        text = json.dumps(
            {
                "files": self.files,
                # Only of what is still lanpi's: whoever takes a file back need not know of digests.
                "digests": {path: digest for path, digest in self.digests.items() if path in self.files},
                "packages": sorted(self.packages),
                "units": self.units,
                "pending": self.pending,
                "stopped": sorted(self.stopped),
                "folders": sorted(self.folders),
            },
            indent=1,
            sort_keys=True,
        )
        if text != self._loaded:
            FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_atomically(STATE, text.encode(), 0o600)
            self._loaded = text

    def keep_original(self, path):
        """Note what is at ``path`` before lanpi first writes there; keep a copy of a file."""
        if path in self.files:
            return
        if Path(path).is_file():
            kept = ORIGINALS / path.lstrip("/")
            status = Path(path).stat()
            ORIGINALS.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(kept, Path(path).read_bytes(), status.st_mode & 0o7777, status.st_uid, status.st_gid)
            self.files[path] = str(kept)
        else:
            self.files[path] = "created"
            missing = [str(folder) for folder in Path(path).parents if not folder.exists()]
            self.folders = sorted({*self.folders, *missing})

    def ask(self, verb, units):
        """Note that ``units`` need ``verb`` ("restart" or "reload"); a restart outranks a reload."""
        for unit in units:
            if self.pending.get(unit) != "restart":
                self.pending[unit] = verb
