"""What a role may declare, as a schema: playbooks/roles/ROLE/defaults/main.yml.

A role says everything that lanpi knows about a service or a concern: packages, files, units, ports, logs, data
and backup. Firewall, tuning, backup, status, doctor, logs and uninstall read it from here.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lanpi.errors import ExitCode, LanpiError

OCTAL = r"^0[0-7]{3}$"
UNIT = r"^[^\s/]+\.(service|timer|socket|slice|path|target|mount)$"
ABSOLUTE = r"^/"


class Entry(BaseModel):
    """One line of a declaration.

    Attributes:
        when: a Jinja expression over ``lanpi.deploy.desired.context``; the entry applies where it is true.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    when: str | None = None

    def fields(self) -> dict[str, Any]:
        """What was written, without ``when``."""
        return self.model_dump(exclude_unset=True, exclude={"when"})


class Package(Entry):
    """A Debian package."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.+-]+$")


class FileEntry(Entry):
    """A file, or all of the Python that runs on the Pi.

    Attributes:
        path: where it lands; Jinja.
        template: below templates/, without ``.j2``; the path itself where it is left out.
        content: ``config`` for the configuration in effect.
        package: ``lanpi.pi``, each of its modules as a file below the path.
        owner, group: names; the group is the owner's where it is left out.
        mode: four octal digits.
        restarts, reloads: units that a change of the file asks for; ``systemd`` for no more than a daemon-reload.
    """

    path: str
    template: str | None = None
    content: Literal["config"] | None = None
    package: Literal["lanpi.pi"] | None = None
    owner: str = "root"
    group: str | None = None
    mode: str = Field("0644", pattern=OCTAL)
    restarts: list[str] = []
    reloads: list[str] = []

    @model_validator(mode="after")
    def _one_source(self) -> "FileEntry":
        if sum(bool(source) for source in (self.template, self.content, self.package)) > 1:
            raise ValueError("template, content and package exclude each other")
        return self


class TreeEntry(Entry):
    """A folder of static files that web/assets.py built, placed under ``/var/lib/lanpi/www/static``.

    Attributes:
        name: of the folder in ``build/web``; templates say ``web.url("NAME")`` for its address.
    """

    name: str = Field(pattern=r"^[a-z]+$")


class UnitEntry(Entry):
    """A systemd unit.

    Attributes:
        name: with its suffix; Jinja.
        state: ``started``, ``stopped``, or ``run`` for a oneshot.
        enabled: whether it comes up at boot; None leaves that as it is.
        optional: a missing unit is no error.
        log: the file in which the unit says why it did not start.
    """

    name: str
    state: Literal["started", "stopped", "run"]
    enabled: bool | None = None
    optional: bool = False
    log: str | None = Field(None, pattern=ABSOLUTE)

    @model_validator(mode="after")
    def _is_a_unit(self) -> "UnitEntry":
        if self.name.rpartition(".")[2] not in ("service", "timer", "socket", "slice", "path", "target", "mount"):
            raise ValueError(f"{self.name!r} is not the name of a unit; write its suffix, such as .service")
        return self


class BackupEntry(Entry):
    """What a backup holds of a role.

    Attributes:
        name: of the item in the snapshot.
        kind: how it is copied consistently.
        path, database: where it is.
        owner: whose it is after a restore.
        place: ``settings`` for what a restore needs before anything is installed.
    """

    name: str
    kind: Literal["files", "sqlite", "postgresql", "mnesia"]
    path: str | None = None
    database: str | None = None
    owner: str | None = None
    place: Literal["settings"] | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> "BackupEntry":
        if (self.path is None) == (self.database is None):
            raise ValueError("an item has either a path or a database")
        return self


class PortEntry(Entry):
    """A port, or a range, on which a role's service answers the network; the firewall lets it in.

    Attributes:
        name: by which templates refer to it: ``ports.NAME.first``.
        protocol: tcp or udp.
        first, last: the range; one port where last is left out.
        service: what answers there, for people.
        local: only for addresses of the local network.
        shared: it is no trouble when another process is there already (mDNS; a range to choose from).
        when: over ``config`` alone, since what is open must be known before a Pi is read.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    protocol: Literal["tcp", "udp"]
    first: int = Field(ge=1, le=65535)
    last: int | None = Field(None, ge=1, le=65535)
    service: str
    local: bool = False
    shared: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> "PortEntry":
        if self.last is not None and self.last < self.first:
            raise ValueError(f"the range ends at {self.last}, before it begins at {self.first}")
        return self


class FragmentEntry(Entry):
    """What a role adds to a file that another role owns, such as a listener of ejabberd's.

    Attributes:
        of: path of the file on the Pi.
        at: the place in it; the file's template says ``fragments("/path", "place")`` there.
        template: below templates/, without ``.j2``.
    """

    of: str = Field(pattern=ABSOLUTE)
    at: str
    template: str


class MadeEntry(Entry):
    """A file or folder that lanpi or a service makes at run time, whose owner and mode lanpi sees to.

    Nothing is done where it is not there: whoever makes it gives it the same owner and mode.

    Attributes:
        path: literal, without a link in its last part.
        owner, group: names; the group is the owner's where it is left out.
        mode: four octal digits.
        restarts: units that must start again once owner or mode were put right, since they could not read it.
        when: over ``config`` alone, since doctor judges a Pi by it without its facts.
    """

    path: str = Field(pattern=ABSOLUTE)
    owner: str = "root"
    group: str | None = None
    mode: str = Field(pattern=OCTAL)
    restarts: list[str] = []


class SecretEntry(Entry):
    """A generated secret that is never made again where something may depend on it.

    The others are made where they are missing: what uses them is given the new one in the same run.

    Attributes:
        name: as templates write it: ``secret("NAME")``.
        what: it is, for people.
        file: that holds it as well; where a person can put it back.
        needed_by: paths on the Pi that depend on it where they are there.
        hint: where to find it, for people.
    """

    name: str = Field(pattern=r"^[a-z_]+$")
    what: str
    file: str = Field(pattern=ABSOLUTE)
    needed_by: list[str]
    hint: str


class Declaration(BaseModel):
    """All that a role declares.

    Attributes:
        early_files: placed before the packages, such as their sources.
        packages: names for apt.
        files: placed after the packages, before any service starts.
        trees: folders of static files, placed before the files that refer to them.
        fragments: of files that other roles own.
        units: in the order in which they are queued; what must wait for another says so in its file (After=).
        ports: on which its services answer the network.
        made: what is made at run time, with owners and modes.
        secrets: that are never made again.
        data: folders with people's data, kept by an uninstall without --purge.
        backup: what a snapshot holds of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    early_files: list[FileEntry] = []
    packages: list[Package] = []
    files: list[FileEntry] = []
    trees: list[TreeEntry] = []
    fragments: list[FragmentEntry] = []
    units: list[UnitEntry] = []
    ports: list[PortEntry] = []
    made: list[MadeEntry] = []
    secrets: list[SecretEntry] = []
    data: list[str] = []
    backup: list[BackupEntry] = []


def parse_declaration(role: str, raw: object, file: str) -> Declaration:
    """A role's defaults as a declaration.

    Args:
        role: its name, which begins each of its variables ("im_packages").
        raw: what the file holds.
        file: its path, for messages.

    Raises:
        LanpiError: FAILED with a line for each mistake: file, entry and key.
    """
    if not isinstance(raw, dict):
        raise _refused(file, ["the file must hold variables"])
    foreign = [name for name in raw if not str(name).startswith(f"{role}_")]
    if foreign:
        raise _refused(file, [f"{name}: variables of this role begin with {role}_" for name in foreign])
    try:
        return Declaration.model_validate({name.removeprefix(f"{role}_"): value for name, value in raw.items()})
    except ValidationError as error:
        raise _refused(file, [_told(role, dict(one)) for one in error.errors()]) from error


def _told(role: str, error: dict[str, Any]) -> str:
    first, *rest = error["loc"]
    place = f"{role}_{first}" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"


def _refused(file: str, mistakes: list[str]) -> LanpiError:
    return LanpiError(f"{file}: {'; '.join(mistakes)}", exit_code=ExitCode.FAILED)
