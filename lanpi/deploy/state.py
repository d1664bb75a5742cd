"""What is installed, as the Pi itself records it: /var/lib/lanpi/installed.json."""

import json
from dataclasses import asdict, dataclass

from lanpi import paths
from lanpi.hosts.base import Host


@dataclass(frozen=True)
class InstalledRecord:
    """Written at the end of an install, and at its start with ``finished`` false.

    Attributes:
        version: lanpi's own.
        finished: the install ended with its proof.
        when: ISO 8601, UTC.
        domain: the XMPP domain.
        packages: name -> version of what the roles name.
        verified: when the message exchange last worked, ISO 8601, UTC; "" if never.
    """

    version: str
    finished: bool
    when: str
    domain: str
    packages: dict[str, str]
    verified: str


def write_installed(host: Host, record: InstalledRecord) -> None:
    """Put the record on the Pi, readable by everybody there: it has no secrets."""
    text = json.dumps(asdict(record), indent=1, sort_keys=True) + "\n"
    host.put(paths.PI_INSTALLED, text.encode(), mode=0o644, root=True)
