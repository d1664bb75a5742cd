"""Files on the Pi, written so that a power cut leaves either the old or the new one."""

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Replace a file in one step, and see that it is on the card.

    Args:
        path: missing folders above it are made.
        content: text is written as UTF-8.
        mode: of the new file, from its first byte on.
        owner: user and group id; None leaves them as root's.

    Raises:
        OSError: no space, a read-only file system; the old file is as it was.
    """
    make_folder(path.parent)
    new = path.with_name(f".{path.name}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            if owner:
                os.fchown(descriptor, *owner)
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)  # on a full card, half a file would make things worse
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """A folder that everybody may enter, like any missing folders above it, whatever the umask."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(exist_ok=True)  # another process may have made it just now
            folder.chmod(0o755)
