"""A virtual Pi of this machine as a Host: its record says how to log in, so nothing is asked."""

from dataclasses import replace
from pathlib import Path

from lanpi.hosts.connect import connect
from lanpi.hosts.known_hosts import HostKey, KnownHosts
from lanpi.hosts.options import ConnectOptions, cannot_ask
from lanpi.hosts.passwords import Passwords
from lanpi.hosts.root import Root
from lanpi.hosts.ssh import SshHost
from lanpi.hosts.target import Target
from lanpi.virtual import VirtualPi, get


class _Recorded(KnownHosts):
    """The one key that the virtual Pi's own file system holds."""

    def __init__(self, pi: VirtualPi) -> None:
        super().__init__(Path("/nonexistent"))
        kind, data = pi.host_key.split()[:2]
        self._key = HostKey(kind, data)

    def get(self, name: str) -> HostKey | None:
        return self._key


def connect_virtual(target: Target, options: ConnectOptions) -> SshHost:
    """Log in to a virtual Pi.

    Raises:
        LanpiError: BAD_INPUT when there is none of that name; UNREACHABLE when it is off.
    """
    pi = get(target.name)
    address = Target(target.text, "ssh", pi.address, pi.user, pi.port)
    given = replace(options, identity_file=options.identity_file or Path(pi.key_path), ssh_config=Path("/nonexistent"))
    root = Root(Passwords(lambda: [options.sudo_password() or pi.password], cannot_ask, ""))
    return connect(address, given, _Recorded(pi), root)
