"""The host key that a machine shows now, for accepting a reflashed Pi: looked at without logging in."""

from dataclasses import replace

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.connect import connect, endpoint
from lanpi.hosts.known_hosts import HostKey, KnownHosts, entry_name
from lanpi.hosts.options import ConnectOptions
from lanpi.hosts.target import Target


class _Seen(Exception):
    """Not an error: it ends the connection before the login."""

    def __init__(self, key: HostKey) -> None:
        super().__init__()
        self.key = key


class _Looking(KnownHosts):
    """Knows every machine but the one that is looked at, whose key it hands out instead of pinning it."""

    def __init__(self, known: KnownHosts, name: str, target: Target) -> None:
        super().__init__()
        self._known = known
        self._name = name
        self._target = target

    def get(self, name: str) -> HostKey | None:
        return None if name == self._name else self._known.get(name)

    def pin(self, name: str, key: HostKey) -> None:
        if name == self._name:
            raise _Seen(key)
        raise LanpiError(
            f"the host key of its jump host {name} is not known yet",
            host=self._target.text,
            next_step=f"Accept that key first: lanpi host accept-key {_as_target(name)}",
            exit_code=ExitCode.REFUSED,
        )


def _as_target(name: str) -> str:
    """The entry's name as a target: without the brackets that only IPv6 needs."""
    host, _, port = name.removeprefix("[").partition("]:")
    return f"{host}:{port}" if port and ":" not in host else name


def pinned_name(target: Target, options: ConnectOptions) -> str:
    """The name under which a target's key is pinned, once ssh_config is applied."""
    found = endpoint(target, options)
    return entry_name(found.address, found.port)


def shown_key(target: Target, options: ConnectOptions, known: KnownHosts) -> HostKey:
    """The key that a target shows now; no login is tried and nothing is pinned.

    Args:
        target: of kind ssh.
        options: for the way there (ssh_config, jump hosts, time limit).
        known: the pinned keys, for jump hosts.

    Raises:
        LanpiError: UNREACHABLE when it does not answer, REFUSED for a jump host whose key is not pinned or differs.
    """
    looking = _Looking(known, pinned_name(target, options), target)
    try:
        host = connect(target, replace(options, accept_new_host_key=True), looking)
    except _Seen as seen:
        return seen.key
    host.close()
    raise AssertionError("a login without a look at the host key")
