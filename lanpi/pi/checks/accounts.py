"""The two accounts of the checks: created on the Pi; their passwords never leave it."""

import json
import secrets
from pathlib import Path
from typing import Any

from lanpi.pi.checks.names import ACCOUNTS, SECRETS
from lanpi.pi.files import write_whole
from lanpi.pi.im import api as im
from lanpi.pi.xmpp.client import Login


def logins(settings: dict[str, Any]) -> tuple[Login, Login]:
    """How the two log in; missing accounts are created.

    Args:
        settings: ``domain``, and ``ca``: what to verify the certificate against, None for the system's authorities.

    Raises:
        OSError, ValueError: ejabberd does not answer, or refuses.
    """
    passwords = _known() or renew(settings["domain"])
    first, second = (
        Login(name, settings["domain"], passwords[name], "127.0.0.1", ca=settings["ca"]) for name in ACCOUNTS
    )
    return first, second


def _known() -> dict[str, str] | None:
    """The stored passwords; None where there are none, or where they are not valid."""
    try:
        passwords = json.loads(Path(SECRETS).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return passwords if isinstance(passwords, dict) and set(passwords) == set(ACCOUNTS) else None


def renew(domain: str) -> dict[str, str]:
    """Set new passwords for both, and create missing accounts, as after a restore onto another Pi.

    Raises:
        OSError, ValueError: ejabberd does not answer, or refuses.
    """
    passwords = {name: secrets.token_urlsafe(24) for name in ACCOUNTS}
    there = im.call(domain, "registered_users", host=domain)
    for name, password in passwords.items():
        if name in there:
            im.call(domain, "change_password", user=name, host=domain, newpass=password)
        else:
            im.call(domain, "register", user=name, host=domain, password=password)
    write_whole(Path(SECRETS), json.dumps(passwords), mode=0o600)
    return passwords
