"""Folders of static files on the Pi, each named by its content: which are there, and whether they are whole."""

import hashlib
from pathlib import Path

ROOT = "/var/lib/lanpi/www/static"
"""Where the folders are, each as NAME-DIGEST."""
DIGITS = 16
"""Of the digest, in a folder's name; 64 bits tell apart what one project ever builds."""
WORK = ".new-"
"""How the name of a folder begins that is not whole yet."""


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
