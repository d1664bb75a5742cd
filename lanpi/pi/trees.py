"""Folders of static files on the Pi, each named by its content: what is there, and one placed.

A folder is unpacked beside its place, compared with the digest in its name, put on disk and only then renamed: under
its name it is always whole. It never changes afterwards, so a browser may keep what it has of it for good.
"""

import hashlib
import json
import os
import shutil
import sys
import tarfile
from pathlib import Path

DIGITS = 16
"""Of the digest, in a folder's name; 64 bits tell apart what one project ever builds."""
WORK = ".new-"


def digest(folder: Path) -> str:
    """One hash for the names and contents of all files below a folder; web/assets.py computes the same."""
    lines = []
    for path in sorted(folder.rglob("*"), key=lambda found: str(found.relative_to(folder))):
        if path.is_file():
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def look(root: Path) -> dict[str, bool]:
    """The folders that are there, and whether each still has the content that its name says."""
    if not root.is_dir():
        return {}
    folders = [path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(WORK)]
    return {path.name: path.name.endswith(f"-{digest(path)[:DIGITS]}") for path in folders}


def place(root: Path, name: str, archive: Path) -> None:
    """Unpack a folder and give it its name; the archive is gone afterwards.

    Raises:
        ValueError: the archive holds something else than the name says.
    """
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob(f"{WORK}*"):
        shutil.rmtree(left)
    work = root / f"{WORK}{name}"
    with tarfile.open(archive) as packed:
        packed.extractall(work, filter="data")
    archive.unlink()
    if not name.endswith(f"-{digest(work)[:DIGITS]}"):
        shutil.rmtree(work)
        raise ValueError(f"what arrived as {name} is something else")
    for path in [work, *work.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    os.sync()  # a few megabytes in some hundred files: one call costs less than an fsync each
    target = root / name
    if target.exists():
        shutil.rmtree(target)  # damaged, else nothing would have been sent
    work.rename(target)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(root: Path, names: list[str]) -> None:
    """Take folders away."""
    for name in names:
        shutil.rmtree(root / name)


def main() -> None:
    """``look ROOT``, ``place ROOT NAME ARCHIVE`` or ``remove ROOT NAME …``; prints JSON."""
    verb, root = sys.argv[1], Path(sys.argv[2])
    if verb == "place":
        place(root, sys.argv[3], Path(sys.argv[4]))
    elif verb == "remove":
        remove(root, sys.argv[3:])
    json.dump(look(root) if verb == "look" else {}, sys.stdout)
