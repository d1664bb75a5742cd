"""ejabberd's admin interface, from wherever lanpi runs: its API through the local socket on the Pi."""

import json
import secrets
import string
from collections.abc import Sequence
from typing import Any

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.im.moved import moved_text, read_moved
from lanpi.pi.checks.names import ACCOUNTS

PASSWORD_LENGTH = 20
"""Letters and digits: 119 bits, and easy to type on a phone."""
HTTP_OK = 200
_ALPHABET = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")


def generate_password() -> str:
    """A new password without characters that look alike."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_LENGTH))


class Server:
    """The IM server of one Pi.

    Args:
        host: the Pi.
        domain: its XMPP domain.
    """

    def __init__(self, host: Host, domain: str) -> None:
        self._host = host
        self._domain = domain

    @property
    def domain(self) -> str:
        """The XMPP domain."""
        return self._domain

    def call(self, command: str, **arguments: Any) -> Any:
        """Call a command of ejabberd's API (docs.ejabberd.im, "API Reference").

        Arguments travel on standard input: passwords are among them.

        Raises:
            LanpiError: FAILED when ejabberd refuses or does not answer.
        """
        done = self._host.run(
            ["/usr/lib/lanpi/im-call", command, "-"],
            stdin=json.dumps(arguments).encode(),
            root=True,
            check=False,
        )
        if done.exit_status == 0:
            return json.loads(done.stdout)
        raise self._refused(command, (done.text or done.error_text).strip())

    def _refused(self, command: str, said: str) -> LanpiError:
        if moved := read_moved(self._host):
            return LanpiError(
                moved_text(moved),
                host=self._host.name,
                next_step=f"Name the new Pi{f', {moved.to}' if moved.to else ''}",
                exit_code=ExitCode.REFUSED,
            )
        return LanpiError(
            f"ejabberd refused {command}: {said}",
            host=self._host.name,
            next_step="Run `lanpi doctor` to see what is wrong with the server",
        )

    def batch(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Several calls in one round trip; all are made, even if some fail.

        Raises:
            LanpiError: FAILED naming the first that ejabberd refused.
        """
        done = self._host.run(
            ["/usr/lib/lanpi/im-call", "batch"], stdin=json.dumps(calls).encode(), root=True, check=False
        )
        if done.exit_status != 0:
            raise self._refused("to answer", done.error_text.strip())
        for (command, _), (status, answer) in zip(calls, json.loads(done.stdout), strict=True):
            if status != HTTP_OK:
                raise self._refused(command, answer)

    def accounts(self) -> tuple[str, ...]:
        """The people's local parts, sorted; without the accounts that the Pi uses to check itself."""
        return tuple(sorted(set(self.call("registered_users", host=self._domain)) - set(ACCOUNTS)))

    def add(self, name: str, password: str) -> None:
        """Create an account.

        Raises:
            LanpiError: BAD_INPUT when the name is taken.
        """
        if name in ACCOUNTS:
            raise LanpiError(
                f"{name} is one of the two accounts that the Pi uses to check itself",
                host=self._host.name,
                next_step="Choose another name",
                exit_code=ExitCode.BAD_INPUT,
            )
        if name in self.accounts():
            raise LanpiError(
                f"the account {name}@{self._domain} exists already",
                host=self._host.name,
                next_step=f"To set a new password: lanpi user passwd {name}",
                exit_code=ExitCode.BAD_INPUT,
            )
        self.call("register", user=name, host=self._domain, password=password)

    def set_password(self, name: str, password: str) -> None:
        """Give an account a new password; its sessions stay."""
        self._must_exist(name)
        self.call("change_password", user=name, host=self._domain, newpass=password)

    def remove(self, name: str) -> None:
        """Remove an account with its roster, archive and uploads."""
        self._must_exist(name)
        self.call("unregister", user=name, host=self._domain)

    def online(self) -> tuple[str, ...]:
        """Full addresses of the current sessions, without the checks' own."""
        return tuple(sorted(jid for jid in self.call("connected_users") if jid.partition("@")[0] not in ACCOUNTS))

    def _must_exist(self, name: str) -> None:
        if name not in self.accounts():
            raise LanpiError(
                f"there is no account {name}@{self._domain}",
                host=self._host.name,
                next_step="`lanpi user list` shows all accounts",
                exit_code=ExitCode.BAD_INPUT,
            )
