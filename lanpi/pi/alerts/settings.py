"""How the administrator is reached: the settings, and the secrets that they need."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/lanpi/alert.json")
SECRETS = Path("/etc/lanpi/alert.env")
SMTP_PASSWORD = "SMTP_PASSWORD"  # noqa: S105 - the variable's name


@dataclass(frozen=True)
class Smtp:
    """The relay that takes mail.

    Attributes:
        host: empty where none is set up.
        security: starttls, tls, none.
        user: empty for a relay that asks for no login.
        sender: address in From.
    """

    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    sender: str = ""


@dataclass(frozen=True)
class Settings:
    """Who is told, and how.

    Attributes:
        domain: of the server. admin: name of the administrator's account.
        to: xmpp, mailto:ADDRESS, http(s)://…
        smtp: for mailto:.
    """

    domain: str
    admin: str
    to: tuple[str, ...] = ("xmpp",)
    smtp: Smtp = Smtp()


def read_settings(path: Path = SETTINGS) -> Settings | None:
    """The settings that the install placed; None where there are none."""
    try:
        return settings_from(json.loads(path.read_text("utf-8")))
    except (FileNotFoundError, ValueError):
        return None


def settings_from(document: dict[str, Any]) -> Settings:
    """alert.json as settings."""
    return Settings(document["domain"], document["admin"], tuple(document["to"]), Smtp(**document["smtp"]))


def read_secrets(path: Path = SECRETS) -> dict[str, str]:
    """NAME=VALUE lines of a file that only root reads; empty where there is none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def token_name(address: str) -> str:
    """The name of a webhook's token in the secrets: each host has its own, so that no other one gets it."""
    host = re.sub(r"^https?://(?:[^/@]*@)?", "", address).split("/", 1)[0]
    return f"TOKEN_{re.sub(r'[^A-Za-z0-9]', '_', host).upper()}"
