"""Pinned host keys, in lanpi's own file in OpenSSH's known_hosts format (sshd(8))."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from lanpi import paths


@dataclass(frozen=True)
class HostKey:
    """A server's public key.

    Attributes:
        kind: such as ssh-ed25519.
        data: the key blob, base64 as in the file.
    """

    kind: str
    data: str

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l prints it: SHA256:… without padding."""
        digest = hashlib.sha256(base64.b64decode(self.data)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def entry_name(host: str, port: int) -> str:
    """How known_hosts names a host: bare on port 22, [host]:port elsewhere."""
    return host if port == 22 else f"[{host}]:{port}"


class KnownHosts:
    """The file; every change is written at once and atomically.

    Args:
        path: of the file; lanpi's own when None.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or paths.operator_config() / "known_hosts"

    def get(self, name: str) -> HostKey | None:
        """The key pinned for an entry name, if any."""
        return self._entries().get(name)

    def pin(self, name: str, key: HostKey) -> None:
        """Trust this key, and only this one, for the entry name from now on."""
        entries = self._entries() | {name: key}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text("".join(f"{host} {k.kind} {k.data}\n" for host, k in sorted(entries.items())))
        new.replace(self._path)

    def _entries(self) -> dict[str, HostKey]:
        if not self._path.exists():
            return {}
        rows = (line.split() for line in self._path.read_text().splitlines() if line.strip())
        return {row[0]: HostKey(row[1], row[2]) for row in rows if not row[0].startswith("#")}
