"""From a target to a logged-in connection: configuration, jump hosts, host keys, credentials."""

import base64
import getpass
import socket
from dataclasses import dataclass
from pathlib import Path

import paramiko

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.known_hosts import HostKey, KnownHosts, entry_name
from lanpi.hosts.options import ConnectOptions
from lanpi.hosts.root import Root
from lanpi.hosts.ssh import SshHost
from lanpi.hosts.target import Target, parse_target

MAX_JUMPS = 8


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
    known = known or KnownHosts()
    chain = [endpoint(target, options)]
    while chain[0].jump:
        # ssh_config(5): several jump hosts, visited in order; each may have a jump of its own.
        hops = [parse_target(hop.strip()) for hop in chain[0].jump.split(",")]
        chain = [endpoint(hop, options) for hop in hops] + chain
        if len(chain) > MAX_JUMPS:
            raise LanpiError("its ProxyJump settings form a loop", host=target.text, exit_code=ExitCode.BAD_INPUT)
    clients: list[paramiko.SSHClient] = []
    password = options.ssh_password()
    try:
        for hop in chain:
            sock = _through(clients[-1], hop) if clients else _dial(hop, options.connect_timeout_seconds)
            client, password = _log_in(hop, sock, options, known, password)
            clients.append(client)
    except BaseException:
        for client in clients:
            client.close()
        raise
    last = chain[-1]

    def sudo_password() -> str | None:
        return (
            options.sudo_password() or password or options.ask_secret(f"Sudo password of {last.user} on {last.name}: ")
        )

    return SshHost(
        target.text,
        last.address,
        clients[-1],
        last.user,
        root or Root(sudo_password),
        direct=len(chain) == 1,
        behind=clients[:-1],
    )


def _dial(hop: Endpoint, timeout_seconds: float) -> socket.socket:
    try:
        dialled = socket.create_connection((hop.address, hop.port), timeout_seconds)
        # As OpenSSH does: of two small messages in a row, the second would wait 40 ms for the first one's receipt.
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
    sock: socket.socket | paramiko.Channel,
    options: ConnectOptions,
    known: KnownHosts,
    password: str | None,
) -> tuple[paramiko.SSHClient, str | None]:
    """Log in with keys, the agent, the given password, and at last one that is asked for."""
    client = paramiko.SSHClient()
    name = entry_name(hop.address, hop.port)
    pinned = known.get(name)
    if pinned:
        # With the key known, paramiko asks the server for this kind first, so that a server that
        # has got another kind of key as well does not look changed.
        kind = paramiko.PKey.from_type_string(pinned.kind, _decode(pinned.data))
        client.get_host_keys().add(name, pinned.kind, kind)
    client.set_missing_host_key_policy(_Pin(options, known, hop.name))
    files = [str(Path(file).expanduser()) for file in hop.identity_files if Path(file).expanduser().is_file()]
    given = password
    asked = False
    while True:
        try:
            client.connect(
                hop.address,
                hop.port,
                username=hop.user,
                password=given,
                key_filename=files or None,  # type: ignore[arg-type] # a list is what paramiko documents
                allow_agent=not hop.identities_only,
                look_for_keys=not hop.identities_only,
                timeout=options.connect_timeout_seconds,
                banner_timeout=options.connect_timeout_seconds,
                auth_timeout=options.connect_timeout_seconds * 2,
                sock=sock,
            )
            return client, given
        except paramiko.BadHostKeyException as error:
            seen = HostKey(error.key.get_name(), error.key.get_base64())
            raise changed_key(hop.name, pinned or seen, seen) from error
        except (paramiko.AuthenticationException, paramiko.PasswordRequiredException) as error:
            if given is None and not asked:
                asked = True
                given = options.ask_secret(f"Password of {hop.user} on {hop.name}: ")
                if given is not None:
                    sock = _dial(hop, options.connect_timeout_seconds)
                    continue
            tried = "keys" if given is None else "keys and the password"
            raise LanpiError(
                f"the login as {hop.user} was refused (tried {tried})",
                host=hop.name,
                next_step="Check the user and the password; lanpi takes the password from --password-file, "
                "LANPI_SSH_PASSWORD or the terminal",
                exit_code=ExitCode.REFUSED,
            ) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            if isinstance(error.__context__, LanpiError):
                raise error.__context__ from error
            raise _unreachable(
                hop,
                f"the SSH connection to port {hop.port} failed ({error})",
                "Check that this is the right machine and port",
            ) from error


def _decode(data: str) -> bytes:
    return base64.b64decode(data)
