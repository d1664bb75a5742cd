"""From a target to a logged-in connection: configuration, jump hosts, host keys, credentials."""

import base64
import getpass
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import paramiko

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.known_hosts import HostKey, KnownHosts, entry_name
from lanpi.hosts.line import Line
from lanpi.hosts.options import ConnectOptions, cannot_ask, cannot_confirm
from lanpi.hosts.passwords import Passwords
from lanpi.hosts.root import Root
from lanpi.hosts.ssh import SshHost
from lanpi.hosts.target import Target, parse_target

MAX_JUMPS = 8
SILENT_MILLISECONDS = 45_000
"""A connection that has not confirmed what was sent for so long is lost: three keepalives (line.KEEPALIVE_SECONDS)."""
_WITH_PASSWORD = {"password", "keyboard-interactive"}
"""SSH's ways to log in that a password answers (RFC 4252 8, RFC 4256)."""


@dataclass(frozen=True)
class Endpoint:
    """Where to connect and as whom, once ssh_config is applied (ssh_config(5))."""

    name: str
    address: str
    port: int
    user: str
    identity_files: tuple[str, ...]
    identities_only: bool
    jump: str | None


def endpoint(target: Target, options: ConnectOptions) -> Endpoint:
    """Apply the operator's ssh_config to a target; what the target itself says comes first."""
    config = paramiko.SSHConfig()
    path = options.ssh_config.expanduser()
    if path.is_file():
        config = paramiko.SSHConfig.from_path(str(path))
    found = config.lookup(target.name)
    identities = tuple(found.get("identityfile", ()))
    if options.identity_file:
        identities = (str(options.identity_file), *identities)
    jump = found.get("proxyjump")
    return Endpoint(
        name=target.text,
        address=found.get("hostname", target.name),
        port=target.port or int(found.get("port", 22)),
        user=target.user or found.get("user") or getpass.getuser(),
        identity_files=identities,
        identities_only=found.get("identitiesonly", "no") == "yes" or options.identity_file is not None,
        jump=None if jump in (None, "none") else jump,
    )


class _Pin(paramiko.MissingHostKeyPolicy):
    """Called for a host without a pinned key."""

    def __init__(self, options: ConnectOptions, known: KnownHosts, name: str) -> None:
        self._options = options
        self._known = known
        self._name = name

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        pinned = HostKey(key.get_name(), key.get_base64())
        if not self._options.accept_new_host_key:
            answer = self._options.confirm(
                f"lanpi does not know {self._name} yet. The fingerprint of its {pinned.kind} key is\n"
                f"  {pinned.fingerprint}\n"
                "Trust this key from now on?"
            )
            if not answer:
                why = "there is no terminal to ask you" if answer is None else "you did not trust it"
                raise LanpiError(
                    f"unknown host key {pinned.fingerprint} ({why})",
                    host=self._name,
                    next_step="Compare the fingerprint, then pass --accept-new-host-key",
                    exit_code=ExitCode.REFUSED,
                )
        self._known.pin(hostname, pinned)


def changed_key(name: str, pinned: HostKey, seen: HostKey) -> LanpiError:
    """The refusal of a host whose key is not the pinned one."""
    return LanpiError(
        f"its host key has changed from {pinned.fingerprint} to {seen.fingerprint}: the card was written again, "
        "another machine has this address, or someone is intercepting the connection",
        host=name,
        next_step=f"If you wrote the card again, run: lanpi host accept-key {name}",
        exit_code=ExitCode.REFUSED,
    )


def connect(
    target: Target,
    options: ConnectOptions,
    known: KnownHosts | None = None,
    root: Root | None = None,
) -> SshHost:
    """Connect and log in.

    Args:
        target: of kind ssh.
        options: credentials, host key policy, time limits.
        known: the pinned keys; lanpi's own file when None.
        root: how to become root; by default with the options' password, the login's, or one asked for.

    Raises:
        LanpiError: UNREACHABLE or REFUSED, each with its cause and the next step.
    """
    hops = _chain(target, options)
    passwords = {
        hop.name: Passwords(
            lambda: [options.ssh_password()], options.ask_secret, f"Password of {hop.user} on {hop.name}: "
        )
        for hop in hops
    }
    known = known or KnownHosts()
    last = hops[-1]
    login = passwords[last.name]
    for_sudo = Passwords(
        # For most people it is the one they have just logged in with.
        lambda: [options.sudo_password() or login.right],
        options.ask_secret,
        f"Sudo password of {last.user} on {last.name}: ",
    )
    # What was asked once is known by then, and nobody may be there any more.
    unattended = replace(options, ask_secret=cannot_ask, confirm=cannot_confirm)
    return SshHost(
        target.text,
        last.address,
        last.user,
        root or Root(for_sudo),
        _open(hops, options, known, passwords),
        lambda: _open(hops, unattended, known, passwords, may_ask=False),
        direct=len(hops) == 1,
    )


def _chain(target: Target, options: ConnectOptions) -> tuple[Endpoint, ...]:
    """The target with the jump hosts before it, in the order of the way there."""
    chain = [endpoint(target, options)]
    while chain[0].jump:
        # ssh_config(5): several jump hosts, visited in order; each may have a jump of its own.
        hops = [parse_target(hop.strip()) for hop in chain[0].jump.split(",")]
        chain = [endpoint(hop, options) for hop in hops] + chain
        if len(chain) > MAX_JUMPS:
            raise LanpiError("its ProxyJump settings form a loop", host=target.text, exit_code=ExitCode.BAD_INPUT)
    return tuple(chain)


def _open(
    hops: Sequence[Endpoint],
    options: ConnectOptions,
    known: KnownHosts,
    passwords: Mapping[str, Passwords],
    *,
    may_ask: bool = True,
) -> Line:
    clients: list[paramiko.SSHClient] = []
    try:
        for hop in hops:
            way = (
                partial(_through, clients[-1], hop) if clients else partial(_dial, hop, options.connect_timeout_seconds)
            )
            clients.append(_log_in(hop, way, options, known, passwords[hop.name], may_ask=may_ask))
    except BaseException:
        for client in clients:
            client.close()
        raise
    return Line(hops[-1].name, clients[-1], clients[:-1])


def _dial(hop: Endpoint, timeout_seconds: float) -> socket.socket:
    try:
        dialled = socket.create_connection((hop.address, hop.port), timeout_seconds)
        # As OpenSSH does: of two small messages in a row, the second would wait 40 ms for the first one's receipt.
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; tcp(7). Else it takes a quarter of an hour to notice.
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_MILLISECONDS)
        return dialled
    except socket.gaierror as error:
        raise _unreachable(
            hop,
            f"no machine named {hop.address} was found",
            "Check the name, and that the Pi is on and in the same network. Its IP address from your router works too",
        ) from error
    except ConnectionRefusedError as error:
        raise _unreachable(
            hop,
            f"the machine is there, but nothing answers on port {hop.port}",
            "Switch SSH on: in Raspberry Pi Imager, or with an empty file named ssh on the card's boot partition",
        ) from error
    except OSError as error:
        raise _unreachable(
            hop,
            f"it does not answer on port {hop.port} ({error.strerror or 'timed out'})",
            "Check that the Pi is on and in the same network. The first boot takes a few minutes",
        ) from error


def _through(client: paramiko.SSHClient, hop: Endpoint) -> paramiko.Channel:
    transport = client.get_transport()
    assert transport is not None
    try:
        return transport.open_channel("direct-tcpip", (hop.address, hop.port), ("127.0.0.1", 0))
    except paramiko.SSHException as error:
        raise _unreachable(
            hop, f"the jump host cannot reach it ({error})", "Check ProxyJump in your ssh_config"
        ) from error


def _unreachable(hop: Endpoint, what: str, next_step: str) -> LanpiError:
    return LanpiError(what, host=hop.name, next_step=next_step, exit_code=ExitCode.UNREACHABLE)


def _log_in(
    hop: Endpoint,
    way: Callable[[], socket.socket | paramiko.Channel],
    options: ConnectOptions,
    known: KnownHosts,
    passwords: Passwords,
    *,
    may_ask: bool,
) -> paramiko.SSHClient:
    """Log in with keys, the agent, the given password, and at last one that is asked for."""
    client = _client(hop, options, known)
    try:
        why = _try(client, hop, way, options, keys=True)
        if why is None:
            return client
        methods = _methods(client, hop.user, why)
        tried = "keys"
        if methods is None or methods & _WITH_PASSWORD:
            for password in passwords.round(may_ask=may_ask):
                tried = "keys and passwords"
                if not _open_still(client):
                    # The server has had enough of our keys (sshd_config(5), "MaxAuthTries").
                    client.close()
                    client = _client(hop, options, known)
                    refused = _try(client, hop, way, options, password=password)
                else:
                    refused = _try_password(client, hop, password)
                if refused is None:
                    passwords.worked(password)
                    return client
                why = refused
    except BaseException:
        client.close()
        raise
    client.close()
    takes = "" if methods is None else f"; it takes {', '.join(sorted(methods)) or 'nothing'}"
    raise LanpiError(
        f"the login as {hop.user} was refused (tried {tried}{takes})",
        host=hop.name,
        next_step="Check the user and the password; lanpi takes the password from --password-file, "
        "LANPI_SSH_PASSWORD or the terminal",
        exit_code=ExitCode.REFUSED,
    ) from why


def _client(hop: Endpoint, options: ConnectOptions, known: KnownHosts) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    name = entry_name(hop.address, hop.port)
    pinned = known.get(name)
    if pinned:
        # With the key known, paramiko asks the server for this kind first, so that a server that
        # has got another kind of key as well does not look changed.
        kind = paramiko.PKey.from_type_string(pinned.kind, _decode(pinned.data))
        client.get_host_keys().add(name, pinned.kind, kind)
    client.set_missing_host_key_policy(_Pin(options, known, hop.name))
    return client


def _try(
    client: paramiko.SSHClient,
    hop: Endpoint,
    way: Callable[[], socket.socket | paramiko.Channel],
    options: ConnectOptions,
    *,
    keys: bool = False,
    password: str | None = None,
) -> Exception | None:
    """Connect and log in; the refusal of the login, or None when it worked."""
    files = [str(Path(file).expanduser()) for file in hop.identity_files if Path(file).expanduser().is_file()]
    sock = way()
    try:
        client.connect(
            hop.address,
            hop.port,
            username=hop.user,
            password=password,
            key_filename=(files or None) if keys else None,  # type: ignore[arg-type] # a list is what paramiko documents
            allow_agent=keys and not hop.identities_only,
            look_for_keys=keys and not hop.identities_only,
            timeout=options.connect_timeout_seconds,
            banner_timeout=options.connect_timeout_seconds,
            auth_timeout=options.connect_timeout_seconds * 2,
            sock=sock,
        )
    except paramiko.BadHostKeyException as error:
        pinned = HostKey(error.expected_key.get_name(), error.expected_key.get_base64())
        raise changed_key(hop.name, pinned, HostKey(error.key.get_name(), error.key.get_base64())) from error
    except paramiko.AuthenticationException as error:
        return error
    except (paramiko.SSHException, OSError, EOFError) as error:
        if isinstance(error.__context__, LanpiError):
            raise error.__context__ from error
        if isinstance(error, paramiko.SSHException) and _open_still(client):
            # It speaks SSH and has shown its key: what is missing is something to log in with.
            return error
        raise _unreachable(
            hop,
            f"the SSH connection to port {hop.port} failed ({error})",
            "Check that this is the right machine and port",
        ) from error
    return None


def _try_password(client: paramiko.SSHClient, hop: Endpoint, password: str) -> Exception | None:
    """Log in over a connection that is there; the refusal, or None when it worked."""
    transport = client.get_transport()
    assert transport is not None
    try:
        transport.auth_password(hop.user, password)
    except (paramiko.SSHException, OSError, EOFError) as error:
        return error
    if not transport.is_authenticated():
        return paramiko.AuthenticationException("it wants more than a password")
    return None


def _open_still(client: paramiko.SSHClient) -> bool:
    """Whether the connection stands, encrypted, and its host key was looked at."""
    transport = client.get_transport()
    if transport is None or not transport.is_active():
        return False
    try:
        transport.get_remote_server_key()
    except paramiko.SSHException:
        return False
    return True


def _methods(client: paramiko.SSHClient, user: str, why: Exception) -> set[str] | None:
    """What the server would let this user log in with; None when it does not say."""
    transport = client.get_transport()
    try:
        if transport is not None and transport.is_active() and not isinstance(why, paramiko.BadAuthenticationType):
            # RFC 4252 5.2: the answer to "none" is the list of what else there is.
            transport.auth_none(user)
    except paramiko.BadAuthenticationType as error:
        why = error
    except (paramiko.SSHException, OSError, EOFError):
        return None
    return set(why.allowed_types) if isinstance(why, paramiko.BadAuthenticationType) else None


def _decode(data: str) -> bytes:
    return base64.b64decode(data)
