"""The schema of lanpi.yml: every key optional, each with its meaning, unit and bounds."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lanpi.config.alert import Alert
from lanpi.config.backup import Backup
from lanpi.config.domain import check_domain, is_public
from lanpi.config.section import Allowed, PiPath
from lanpi.config.section import Section as _Section

_PORT = re.compile(r"([1-9]\d{0,4})/(tcp|udp)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PORT_MAX = 65535


def _ports(values: list[str]) -> list[str]:
    for value in values:
        match = _PORT.fullmatch(value)
        if not match or int(match.group(1)) > _PORT_MAX:
            raise ValueError(f"{value!r} must be PORT/tcp or PORT/udp with a port from 1 to {_PORT_MAX}")
    return values


def _email(value: str) -> str:
    if not _EMAIL.fullmatch(value):
        raise ValueError("an e-mail address must be NAME@DOMAIN")
    return value


def _off(value: object) -> object:
    """YAML 1.1 reads a bare ``off`` as false."""
    return "off" if value is False else value


class Im(_Section):
    """The messaging server."""

    channel: Literal["backports", "stable"] = Field(
        "backports",
        description="Where ejabberd comes from: Debian's backports (current) or its stable release.",
    )
    federation: bool = Field(False, description="Talk to other XMPP servers on the internet.")
    registration: Literal["closed", "invite", "open"] = Field(
        "closed",
        description="Who can create an account: only you, people with an invitation, or everyone. A new installation "
        "sets invite where its ejabberd supports invitations.",
    )
    compression: bool = Field(
        False,
        description="Use XMPP stream compression: it saves bytes, but costs each session memory and processor time.",
    )
    calls: bool = Field(True, description="Run STUN and TURN, which voice and video calls need.")
    mqtt: bool = Field(False, description="Serve MQTT over TLS (port 8883) for devices.")
    http_api: bool = Field(
        False, description="Offer the administrators' HTTP API over HTTPS; on the Pi itself it is always available."
    )
    archive_days: int = Field(
        365, ge=0, le=36500, description="Days to keep messages in the archive; 0 keeps them permanently."
    )
    upload_max_mb: int = Field(50, ge=1, le=4096, description="Size limit of a file that people send, in MB.")
    upload_quota_mb: int = Field(1000, ge=1, le=1048576, description="Space for each person's files, in MB.")
    upload_days: int = Field(90, ge=0, le=36500, description="Days to keep files; 0 keeps them permanently.")

    @model_validator(mode="after")
    def _a_file_fits_the_quota(self) -> "Im":
        if self.upload_max_mb > self.upload_quota_mb:
            raise ValueError(
                f"upload_max_mb ({self.upload_max_mb}) must not be larger than upload_quota_mb ({self.upload_quota_mb})"
            )
        return self


class Tls(_Section):
    """Certificates."""

    mode: Literal["local", "acme", "files"] = Field(
        "local",
        description="Where the certificate comes from: an authority created on the Pi, Let's Encrypt through ACME "
        "(needs a public name), or files on the Pi.",
    )
    email: Annotated[str, AfterValidator(_email), Allowed("an e-mail address")] | None = Field(
        None, description="With acme: e-mail address for messages from the authority; can be empty."
    )
    certificate: PiPath | None = Field(None, description="With files: path on the Pi of the certificate chain (PEM).")
    key: PiPath | None = Field(None, description="With files: path on the Pi of the private key (PEM).")

    @model_validator(mode="after")
    def _files_need_both(self) -> "Tls":
        if self.mode == "files" and not (self.certificate and self.key):
            raise ValueError("mode files needs both certificate and key")
        if self.mode != "files" and (self.certificate or self.key):
            raise ValueError(f"certificate and key are only used with mode files, not with {self.mode}")
        return self


class Network(_Section):
    """How the Pi appears on the network."""

    hostname_mdns: bool = Field(True, description="Make the Pi answer to HOSTNAME.local on the local network (Avahi).")
    firewall: bool = Field(True, description="Let in only SSH and the services in use (nftables).")
    allow_ports: Annotated[list[str], AfterValidator(_ports), Allowed("a list of PORT/tcp or PORT/udp")] = Field(
        [], description="Additional ports to let in, each PORT/tcp or PORT/udp."
    )
    connections_per_address: int = Field(
        4000,
        ge=50,
        le=1000000,
        description="Connections of one address at a time, all services for people together: twice a school of two "
        "thousand behind one router. No address gets more than half of what the Pi can hold.",
    )
    new_connections_per_minute: int = Field(
        3000,
        ge=60,
        le=1000000,
        description="New connections of one address a minute, after as many at once as it may have at a time; "
        "further ones wait.",
    )
    wifi_power_save: bool = Field(False, description="Leave Wi-Fi power saving on; messages may then arrive late.")


class Memory(_Section):
    """Swap and memory limits."""

    swap: Annotated[Literal["auto", "off"] | Annotated[int, Field(ge=0, le=65536)], BeforeValidator(_off)] = Field(
        "auto", description="Size of the swap file in MB, auto to fit the Pi, or off to leave swap as it is."
    )
    cgroup: bool = Field(
        True,
        description="Enable the kernel's memory limits in the firmware's command line (needs a reboot).",
    )


class Logs(_Section):
    """Log files and the journal."""

    max_mb: int = Field(200, ge=40, le=10000, description="Size limit of all logs together, in MB.")


class Updates(_Section):
    """Keeping the system up to date and small."""

    unattended: bool = Field(True, description="Install security upgrades automatically at night.")
    disable_unneeded: bool = Field(
        True, description="Switch off installed desktop, Bluetooth, printing and modem services."
    )


class Tune(_Section):
    """How the Pi's memory and processor are shared."""

    profile: Literal["eco", "balanced", "max"] = Field(
        "balanced", description="Tune for low power and few writes, for a balance, or for many sessions."
    )
    people: int | None = Field(
        None, ge=1, le=1000000, description="Plan for this many people online at the same time; empty fits the Pi."
    )
    overrides: dict[str, int | str] = Field(
        {}, description="Values to use instead of the computed ones; `lanpi tune --plan` lists the names."
    )


class Config(_Section):
    """All of lanpi.yml."""

    domain: Annotated[str, AfterValidator(check_domain), Allowed("a domain such as chat.example.org")] | None = Field(
        None,
        description="The part of addresses after the @; empty uses HOSTNAME.local. It cannot be changed later.",
    )
    admin: Annotated[str, Allowed("up to 64 lower-case letters, digits, dots, hyphens and underscores")] = Field(
        "admin",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\z",
        description="Name of the administrator's account, which the first install creates.",
    )
    database: Literal["sqlite", "postgresql"] = Field(
        "sqlite", description="Where messages and accounts are stored: in a file (SQLite) or a local PostgreSQL."
    )
    im: Im = Field(default_factory=Im, description="The messaging server.")
    tls: Tls = Field(default_factory=Tls, description="Certificates.")
    network: Network = Field(default_factory=Network, description="How the Pi appears on the network.")
    memory: Memory = Field(default_factory=Memory, description="Swap and memory limits.")
    logs: Logs = Field(default_factory=Logs, description="Log files and the journal.")
    updates: Updates = Field(default_factory=Updates, description="Keeping the system up to date and small.")
    tune: Tune = Field(default_factory=Tune, description="How the Pi's memory and processor are shared.")
    metrics: bool = Field(False, description="Serve metrics to Prometheus on port 9100, only to the local network.")
    backup: Backup = Field(default_factory=Backup, description="Backups of everything that a restore needs.")
    alert: Alert = Field(default_factory=Alert, description="How the administrator is told when something fails.")

    @model_validator(mode="after")
    def _acme_needs_a_public_name(self) -> "Config":
        if self.tls.mode == "acme" and (self.domain is None or not is_public(self.domain)):
            raise ValueError(
                f"tls.mode acme needs a public domain, but domain is {self.domain or 'not set'}: "
                "set it to a name under which the internet reaches this Pi"
            )
        return self
