"""A Pi's desired state as three lists - packages, files, units - computed from the roles' declarations.

Pure but for reading the declarations and templates that travel with lanpi: the same facts and
configuration give the same state, which the playbooks then apply.
"""

import base64
import ipaddress
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

from lanpi import paths
from lanpi.config.backup import calendar
from lanpi.config.dump import dump
from lanpi.config.model import Config
from lanpi.deploy import ports
from lanpi.deploy.alert_settings import build_alert_settings
from lanpi.deploy.backup_manifest import build_manifest
from lanpi.deploy.declaration import Entry, FileEntry
from lanpi.deploy.expressions import holds
from lanpi.deploy.front_door import front_door
from lanpi.deploy.ownership import Ownership, ownership
from lanpi.deploy.roles import declarations
from lanpi.facts.model import Facts
from lanpi.im.versions import has_feature
from lanpi.pi.checks.names import ACCOUNTS, MINUTES, RESERVED_PREFIX
from lanpi.pi.im.invites import LONGEST_SECONDS
from lanpi.ship.closure import ROOT, sources
from lanpi.ship.installed import SEAL, digest
from lanpi.tuning.model import Plan

AnEntry = TypeVar("AnEntry", bound=Entry)

POSTGRESQL_VERSIONS = {"bookworm": 15, "trixie": 17}
"""The one PostgreSQL of each Debian release (packages.debian.org, postgresql)."""


@dataclass(frozen=True)
class File:
    """A file on the Pi; secrets are still placeholders in its content.

    A seal is written after all other files, and taken away before any of them is changed where it is not the same.
    """

    path: str
    content: str
    owner: str
    group: str
    mode: str
    restarts: tuple[str, ...]
    reloads: tuple[str, ...]
    seal: bool = False


@dataclass(frozen=True)
class Desired:
    """What the Pi should be.

    Attributes:
        early_files: placed before the packages (their sources).
        packages: names for apt.
        files: placed after the packages, before any service starts.
        units: declarations in order, as the lanpi_units module takes them.
        data: folders with people's data, kept by an uninstall without --purge.
        secrets: declarations of those that are never made again, as the lanpi_tree module takes them.
        made: owners and modes of what is made at run time.
        others: paths of files that are changed in place, not placed whole, such as the kernel's command line.
    """

    early_files: tuple[File, ...]
    packages: tuple[str, ...]
    files: tuple[File, ...]
    units: tuple[dict[str, Any], ...]
    data: tuple[str, ...]
    secrets: tuple[dict[str, Any], ...]
    made: tuple[Ownership, ...]
    others: tuple[str, ...] = ()

    def only(self, files: set[str], made: set[str]) -> "Desired":
        """The same with these paths alone."""
        return replace(
            self,
            early_files=tuple(file for file in self.early_files if file.path in files),
            files=tuple(file for file in self.files if file.path in files),
            made=tuple(each for each in self.made if each.path in made),
        )

    def variables(self) -> dict[str, Any]:
        """The playbooks' variables."""
        return {
            "lanpi_early_files": [_travelling(file) for file in self.early_files],
            "lanpi_packages": list(self.packages),
            "lanpi_files": [_travelling(file) for file in self.files],
            "lanpi_units": list(self.units),
            "lanpi_data": list(self.data),
            "lanpi_secrets": list(self.secrets),
            "lanpi_made": [asdict(made) for made in self.made],
        }


def _travelling(file: File) -> dict[str, Any]:
    """A file for the lanpi_tree module; Base64, because Ansible takes braces in a variable for a template."""
    return asdict(file) | {"content": base64.b64encode(file.content.encode()).decode()}


def swap_mechanism(facts: Facts, config: Config) -> str:
    """Whose swap lanpi configures: the existing owner, else zram-generator, else "none".

    A container shares its host's swap and has none to set up.
    """
    if config.memory.swap == "off" or facts.hardware.is_container:
        return "none"
    if facts.swap.owner == "none":
        return "zram-generator"
    return "none" if facts.swap.owner == "other" else facts.swap.owner


def _address4(facts: Facts) -> str:
    """The first IPv4 address that a phone on the network can reach, "" if none."""
    for link in facts.links:
        for text in link.addresses:
            address = ipaddress.ip_address(text)
            if address.version == 4 and not address.is_loopback:
                return text
    return ""


def _mdns_name(facts: Facts, config: Config, domain: str) -> str:
    """The domain if it must be announced next to the Pi's own name, as after a restore; else ""."""
    own = f"{facts.hostname.lower()}.local"
    return domain if config.network.hostname_mdns and domain.endswith(".local") and domain != own else ""


def ssh_ports(facts: Facts) -> tuple[int, ...]:
    """Where the SSH server listens; 22 too, so that no reading error can lock anybody out."""
    found = {listener.port for listener in facts.listeners if listener.process.startswith("sshd")}
    return tuple(sorted(found | {22}))


def _aliases(facts: Facts, domain: str) -> list[str]:
    """Other names and addresses that a browser may use."""
    names = {facts.hostname, f"{facts.hostname}.local", "localhost", "127.0.0.1"}
    names |= {text for link in facts.links for text in link.addresses if ":" not in text}
    return sorted(names - {domain})


LOG_SHARE_JOURNAL = 0.5
LOG_SHARE_EJABBERD = 0.4  # the rest is for Redis, apt and the other small ones


def _logs(config: Config) -> dict[str, int]:
    """How ``logs.max_mb`` is shared: half to the journal, 40 per cent to ejabberd's two logs.

    ejabberd's share is a current file, one uncompressed old one and compressed ones of each log;
    counted as if nothing compressed, so the bound holds.
    """
    rotations = 4
    ejabberd_mb = int(config.logs.max_mb * LOG_SHARE_EJABBERD)
    return {
        "journal_mb": max(8, int(config.logs.max_mb * LOG_SHARE_JOURNAL)),
        "ejabberd_mb": ejabberd_mb // 2,
        "ejabberd_file_mb": max(1, ejabberd_mb // 2 // (rotations + 1)),
        "rotations": rotations,
    }


def _tls(config: Config) -> dict[str, str | None]:
    match config.tls.mode:
        case "files":
            return {"certificate": config.tls.certificate, "key": config.tls.key}
        case "acme":
            # Where ejabberd's own ACME client keeps what it fetched.
            return {"certificate": '"/var/lib/ejabberd/acme/live/*"', "key": None}
        case _:
            return {"certificate": f"{paths.PI_TLS}/server.pem", "key": None}


TLS_CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for key in ("ECDSA", "RSA")
)
"""Mozilla's "intermediate" recommendation, less finite-field Diffie-Hellman: forward secrecy only."""


def context(facts: Facts, config: Config, plan: Plan, domain: str) -> dict[str, Any]:
    """All that templates and ``when`` conditions can refer to."""
    has = partial(_has, facts.os.codename, config.im.channel)
    return {
        "facts": facts,
        "config": config,
        "plan": plan,
        "domain": domain,
        "swap": swap_mechanism(facts, config),
        "wireless": any(link.wireless and link.up for link in facts.links),
        "postgresql_version": POSTGRESQL_VERSIONS.get(facts.os.codename, max(POSTGRESQL_VERSIONS.values())),
        "address4": _address4(facts),
        "mdns_name": _mdns_name(facts, config, domain),
        "check_accounts": ACCOUNTS,
        "reserved_prefix": RESERVED_PREFIX,
        "invitation_seconds": LONGEST_SECONDS,
        "check_minutes": MINUTES,
        "aliases": _aliases(facts, domain),
        "openings": ports.openings(config, ssh_ports(facts)),
        "ports": ports.declared_ports(),
        "logs": _logs(config),
        "tls": _tls(config),
        "tls_ciphers": TLS_CIPHERS,
        # nginx 1.26 is in trixie, 1.22 in bookworm.
        "door": front_door(
            config, plan, domain, ssh_ports(facts), passes=facts.os.codename != "bookworm", tagged=has("listener_tag")
        ),
        "secret": lambda name: f"@LANPI_SECRET:{name}@",
        "backup_calendar": calendar(config.backup.schedule),
        "has": has,
    }


def _has(codename: str, channel: Any, feature: str) -> bool:
    return has_feature(feature, codename, channel)


def declared_packages() -> tuple[str, ...]:
    """Every package that some configuration asks for."""
    return tuple(entry.name for declared in declarations().values() for entry in declared.packages)


def backup_items(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the roles declare to be backed up, as far as it applies.

    Args:
        values: of :func:`context`.
    """
    renderer = _Renderer(values, "")
    return [
        {key: renderer.text(value) for key, value in entry.fields().items()}
        for declared in declarations().values()
        for entry in renderer.applying(declared.backup)
    ]


def desired_state(facts: Facts, config: Config, plan: Plan, domain: str) -> Desired:
    """What the Pi should be, from what it is and what is configured.

    Args:
        facts: of the Pi.
        config: the configuration in effect.
        plan: the limits decided for it.
        domain: the XMPP domain.
    """
    values = context(facts, config, plan, domain)
    values["alert_settings"] = build_alert_settings(config, domain)
    values["backup_manifest"] = build_manifest(backup_items(values), config, domain)
    renderer = _Renderer(values, dump(config))
    values["fragments"] = renderer.fragments
    values["service_units"] = kept_running(renderer)
    early: list[File] = []
    packages: list[str] = []
    files: list[File] = []
    units: list[dict[str, Any]] = []
    data: list[str] = []
    secrets: list[dict[str, Any]] = []
    for declared in declarations().values():
        early += renderer.files(declared.early_files)
        packages += [entry.name for entry in renderer.applying(declared.packages)]
        files += renderer.files(declared.files)
        units += [entry.fields() | {"name": renderer.text(entry.name)} for entry in renderer.applying(declared.units)]
        data += declared.data
        secrets += [entry.fields() for entry in renderer.applying(declared.secrets)]
    return Desired(
        tuple(early), tuple(packages), tuple(files), tuple(units), tuple(data), tuple(secrets), ownership(config),
        (facts.boot.cmdline_path,) if facts.boot.cmdline_path else (),
    )  # fmt: skip


def without_start(desired: Desired, name: str) -> Desired:
    """The same, with a unit left running or stopped as it is; enabled as before."""
    units = tuple(
        {key: value for key, value in unit.items() if key != "state"} if unit["name"] == name else unit
        for unit in desired.units
    )
    return replace(desired, units=units)


def kept_running(renderer: "_Renderer") -> tuple[str, ...]:
    """The units that the roles keep running under this configuration, and the way in."""
    entries = (entry for declared in declarations().values() for entry in renderer.applying(declared.units))
    named = [renderer.text(entry.name) for entry in entries if entry.state != "stopped"]
    return tuple(dict.fromkeys([*named, "ssh.service"]))


def _compiled_templates() -> FileSystemBytecodeCache | None:
    """Where compiled templates are kept between runs, by path and content; None where nothing can be kept."""
    folder = paths.operator_cache() / "templates"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    status = folder.stat()
    # They are run: nobody else may have written them.
    return FileSystemBytecodeCache(str(folder)) if status.st_uid == os.getuid() and not status.st_mode & 0o022 else None


class _Renderer:
    """Jinja over declarations and templates; an undefined name is an error, never an empty string."""

    def __init__(self, values: Mapping[str, Any], config_text: str) -> None:
        self._values = values
        self._config_text = config_text
        self._environment = Environment(
            loader=FileSystemLoader(paths.templates()),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - configuration files, not HTML
            bytecode_cache=_compiled_templates(),
        )

    def text(self, template: str) -> str:
        """A declaration's text with its variables filled in."""
        if "{" not in template:
            return template  # as most are: nothing to compile
        return self._environment.from_string(template).render(**self._values)

    def applying(self, entries: Sequence[AnEntry]) -> list[AnEntry]:
        """The entries whose ``when`` holds."""
        return [entry for entry in entries if holds(entry.when, self._values)]

    def files(self, entries: Sequence[FileEntry]) -> list[File]:
        """The files whose ``when`` holds, rendered."""
        return [file for entry in self.applying(entries) for file in self._files(entry)]

    def fragments(self, of: str, at: str) -> str:
        """What the roles add to a file at one of its places, in their order."""
        entries = self.applying([entry for declared in declarations().values() for entry in declared.fragments])
        return "".join(
            self._environment.get_template(f"{entry.template}.j2").render(**self._values)
            for entry in entries
            if (entry.of, entry.at) == (of, at)
        )

    def _files(self, entry: FileEntry) -> list[File]:
        if entry.package != ROOT:
            return [self._file(entry)]
        # The Python that runs on the Pi, a file each: a diff that people can read.
        file = partial(File, owner="root", group="root", mode="0644", restarts=(), reloads=())
        placed = [file(f"{entry.path}/{path}", text) for path, text in sources().items()]
        return [*placed, file(f"{entry.path}/{SEAL}", f"{digest()}\n", seal=True)]

    def _file(self, entry: FileEntry) -> File:
        path = self.text(entry.path)
        if entry.content == "config":
            content = self._config_text
        else:
            name = entry.template or path.lstrip("/")
            content = self._environment.get_template(f"{name}.j2").render(**self._values)
        return File(
            path=path,
            content=content,
            owner=entry.owner,
            group=entry.group or entry.owner,
            mode=entry.mode,
            restarts=tuple(self.text(unit) for unit in entry.restarts),
            reloads=tuple(self.text(unit) for unit in entry.reloads),
        )
