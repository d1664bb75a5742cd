"""The JSON documents of backups, on disk and from restic, as types: their keys are a format that other Pis read."""

from typing import Any, NotRequired, TypedDict


class Item(TypedDict):
    """What a role declares to be backed up (``ROLE_backup``).

    Attributes:
        kind: files, sqlite, postgresql, mnesia.
        path: of all but PostgreSQL. database: of PostgreSQL. owner: of a database.
        place: ``settings`` for what a restore places before the install; ``data`` otherwise.
    """

    name: str
    kind: str
    path: NotRequired[str]
    database: NotRequired[str]
    owner: NotRequired[str]
    place: NotRequired[str]
    when: NotRequired[str]


class Manifest(TypedDict):
    """/etc/lanpi/backup-manifest.json (lanpi/deploy/backup_manifest.py)."""

    version: str
    domain: str
    admin: str
    items: list[Item]
    repositories: list[str]
    keep: dict[str, int]
    hook_before: str | None
    hook_after: str | None
    notify: bool


class Owned(TypedDict):
    """Whose a file or folder is: mode as a number, owner and group by name."""

    item: str
    mode: int
    owner: str
    group: str


class FileEntry(Owned):
    """A file of a snapshot; sizes in bytes, mtime in nanoseconds."""

    bytes: int
    mtime_ns: int
    inode: int
    sha256: str


class Database(TypedDict):
    """A database of a snapshot.

    Attributes:
        kind: sqlite, postgresql.
        file: of the copy, below the snapshot's root.
        path: of a SQLite file on the Pi. database: name of a PostgreSQL one.
        tables: rows by table. hashes: of the rows by table. nobodys: account rows of the Pi's own checks; snapshots
            of earlier lanpis have neither.
    """

    kind: str
    name: str
    file: str
    path: NotRequired[str]
    database: NotRequired[str]
    owner: str
    bytes: int
    sha256: str
    tables: dict[str, int]
    nobodys: NotRequired[int]
    hashes: NotRequired[dict[str, str]]


class Mnesia(TypedDict):
    """ejabberd's own backup of Mnesia; ``counted`` says whether its tables could be counted."""

    file: str
    bytes: int
    sha256: str
    tables: dict[str, int]
    counted: bool


class Content(TypedDict):
    """content.json: all that a snapshot holds."""

    format: int
    made: str
    hostname: str
    domain: str
    versions: dict[str, str]
    items: list[Item]
    databases: list[Database]
    mnesia: Mnesia | None
    files: dict[str, FileEntry]
    folders: dict[str, Owned]


class Known(TypedDict):
    """What the last run has read already (last-content.json)."""

    files: dict[str, FileEntry]
    databases: list[Database]


class Summary(TypedDict):
    """A snapshot in a few numbers; sizes in bytes."""

    made: str
    domain: str
    hostname: str
    versions: dict[str, str]
    people: int
    messages: int
    rooms: int
    uploads: int
    upload_bytes: int
    bytes: int
    tables: dict[str, int]


class Snapshot(TypedDict):
    """A line of ``restic snapshots --json``; the time in UTC."""

    id: str
    short_id: str
    time: str
    hostname: str
    tags: NotRequired[list[str] | None]


class Lock(TypedDict):
    """``restic cat lock``."""

    time: str
    hostname: str
    pid: int


class RestoreState(TypedDict):
    """How far a restore got (state.json of restore.py).

    Attributes:
        snapshot: its id.
        phase: fetching, fetched, settings, swapping, swapped.
        previous: name of the folder for what was there before.
        moved: the note of a server that had moved out (moved.py), kept until the restore is proven.
    """

    snapshot: str
    phase: str
    previous: str
    moved: NotRequired[dict[str, str]]


class RepositoryStatus(TypedDict, total=False):
    """What is known of a repository; times in ISO 8601, UTC, empty where it never happened."""

    made: str
    last_success: str
    last_error: str
    last_error_at: str
    last_verified: str
    last_drill: str
    drill_server: bool
    snapshot: str
    added_bytes: int


class Status(TypedDict):
    """status.json: what the backup records about itself; ``lanpi status`` reads it."""

    last_success: str
    last_verified: str
    last_drill: str
    drill_server: bool
    last_error: str
    last_error_at: NotRequired[str]
    moved_at: NotRequired[str]
    key_saved: bool
    key_saved_at: NotRequired[str]
    repositories: dict[str, RepositoryStatus]


Saved = dict[str, Any]
"""A repository's part of a run's result: location, snapshot, added_bytes."""
