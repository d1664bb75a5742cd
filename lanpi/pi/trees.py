"""A folder of static files placed on the Pi under the name of its content, and old ones removed.

A folder is unpacked beside its place, compared with the digest in its name, put on disk and only then renamed: under
its name it is always whole. It never changes afterwards, so a browser may keep what it has of it for good.
"""

import os
import shutil
import sys
import tarfile
from pathlib import Path

from lanpi.pi.read.trees import DIGITS, ROOT, WORK, digest


def place(root: Path, name: str, archive: Path) -> None:
    """Unpack a folder and give it its name; the archive is gone afterwards.

    Raises:
        ValueError: the archive holds something else than the name says.
    """
    root.mkdir(parents=True, exist_ok=True)
    for left in root.glob(f"{WORK}*"):
        shutil.rmtree(left)
    work = root / f"{WORK}{name}"
    # Bookworm's Python 3.11.2 has no filter for tarfile.extractall.
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member) if member.isfile() else None
            if content is None or not (work / member.name).resolve().is_relative_to(work.resolve()):
                raise ValueError(f"{member.name} does not belong in a tree")
            target = work / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
    archive.unlink()
    if not name.endswith(f"-{digest(work)[:DIGITS]}"):
        shutil.rmtree(work)
        raise ValueError(f"what arrived as {name} is something else")
    for path in [work, *work.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    os.sync()  # a few megabytes in some hundred files: one call costs less than an fsync each
    final = root / name
    if final.exists():
        shutil.rmtree(final)  # damaged, else nothing would have been sent
    work.rename(final)
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
    """``place NAME ARCHIVE`` or ``remove NAME …``."""
    os.umask(0o022)  # root's own may keep the web server out of the folders above
    verb, root = sys.argv[1], Path(ROOT)
    if verb == "place":
        place(root, sys.argv[2], Path(sys.argv[3]))
    else:
        remove(root, sys.argv[2:])
