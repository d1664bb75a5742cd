"""`lanpi backup export`: everything a server holds as one tar file on this machine, its format in docs/reference."""

import hashlib
import json
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lanpi.backup.remote import Program
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.progress import Progress

CONTENT = "content.json"
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: of the file here. size_bytes: of it.
        summary: domain, people, messages, uploads, … (lanpi/pi/backup/content.py).
        compared: how many files in it were compared with their hashes.
    """

    path: str
    size_bytes: int
    summary: dict[str, Any]
    compared: int


def export(host: Host, program: Program, path: Path, report: Progress) -> Exported:
    """Fetch everything into a new file that only its owner can read; it gets its name after all hashes match.

    Raises:
        LanpiError: BAD_INPUT (the file exists, or cannot be written), BLOCKED (no space on the Pi), FAILED.
    """
    if path.exists():
        raise LanpiError(f"{path} exists already", next_step="Choose another file", exit_code=ExitCode.BAD_INPUT)
    partial = path.with_name(f".{path.name}.partial")
    summary = program.run("export")
    try:
        report.begin("Fetching the export")
        try:
            size = _fetch(host, summary["folder"], partial, summary["bytes"], report)
        except OSError as error:
            raise LanpiError(f"cannot write {path}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
        report.end()
        report.begin("Comparing the files with their hashes")
        wrong, compared = check_archive(partial)
        if wrong:
            what = f"{', '.join(wrong[:3])} did not arrive as sent"
            raise LanpiError(what, host=host.name, next_step="Run the export again")
        partial.rename(path)
        report.end(f"{compared} files")
    finally:
        partial.unlink(missing_ok=True)
        program.run("export-done")
    return Exported(str(path), size, summary, compared)


def _fetch(host: Host, folder: str, partial: Path, expected_bytes: int, report: Progress) -> int:
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:

        def take(data: bytes) -> None:
            file.write(data)
            report.advance(min(100, file.tell() * 100 // max(1, expected_bytes)))

        status = host.stream(["tar", "-C", folder, "-cf", "-", "."], take, root=True)
        if status != 0:
            raise LanpiError(f"tar ended with exit status {status}", host=host.name, next_step="Run the export again")
        file.flush()
        os.fsync(descriptor)
        return file.tell()


def check_archive(path: Path) -> tuple[list[str], int]:
    """Members of an export that are missing or differ from its content.json, and how many were compared.

    Raises:
        LanpiError: the file is not an export.
    """
    try:
        with tarfile.open(path) as archive:
            members = {member.name.removeprefix("./"): member for member in archive.getmembers()}
            told = archive.extractfile(members[CONTENT])
            assert told is not None
            expected = _hashes(json.load(told))
            wrong = [
                name
                for name, digest in expected.items()
                if name not in members or _sha256(archive.extractfile(members[name])) != digest
            ]
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise LanpiError(f"{path} is not a complete export: {error}", next_step="Run the export again") from error
    return wrong, len(expected)


def _hashes(content: dict[str, Any]) -> dict[str, str]:
    files = {f"files{name}": entry["sha256"] for name, entry in content["files"].items()}
    copies = {entry["file"]: entry["sha256"] for entry in (*content["databases"], content["mnesia"]) if entry}
    accounts: dict[str, str] = content["xep-0227"]
    return files | copies | accounts


def _sha256(file: IO[bytes] | None) -> str:
    digest = hashlib.sha256()
    while file is not None and (chunk := file.read(_CHUNK)):
        digest.update(chunk)
    return digest.hexdigest()
