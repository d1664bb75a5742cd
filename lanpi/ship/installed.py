"""Run a module of lanpi.pi as it is installed on a Pi, where that is the same version.

An install puts all of lanpi.pi there, with a seal: the digest of its content, written after everything else and
taken away before anything is changed. A Pi with the same seal runs what it has, compiled already, and is sent no
more than the name of a module and its arguments.
"""

import hashlib
from collections.abc import Sequence
from functools import cache

from lanpi.ship.closure import sources

FOLDER = "/usr/lib/lanpi/python"
"""On the Pi; the role ``base`` places lanpi.pi there."""
SEAL = "SEAL"
"""Name of the file with the digest, in the folder of lanpi.pi."""
ELSEWHERE = 79
"""Exit status of a program that is not installed there in this version; no program of lanpi.pi ends so."""

# What somebody else than root can write is not run, whoever asks.
_PROGRAM = """\
import os, stat, sys
def trusted(entry):
    found = entry.stat(follow_symlinks=False)
    folder = stat.S_ISDIR(found.st_mode)
    if found.st_uid or found.st_mode & 0o022 or not (folder or stat.S_ISREG(found.st_mode)):
        return False
    return not folder or all(map(trusted, os.scandir(entry.path)))
def same(top):
    parent = ""
    for name in top.strip("/").split("/"):
        parent += "/" + name
        found = os.lstat(parent)
        if found.st_uid or found.st_mode & 0o022 or not stat.S_ISDIR(found.st_mode):
            return False
    with open(top + "/lanpi/pi/{seal}") as file:
        return file.read().strip() == {digest!r} and all(map(trusted, os.scandir(top)))
try:
    if not same({folder!r}):
        raise OSError
except OSError:
    raise SystemExit({elsewhere})
sys.dont_write_bytecode = True
sys.path.insert(0, {folder!r})
sys.argv[1:] = {arguments!r}
import importlib
importlib.import_module({entry!r}).main()
"""


@cache
def digest() -> str:
    """SHA-256 of all of lanpi.pi as it is here: names and texts."""
    total = hashlib.sha256()
    for path, text in sources().items():
        content = text.encode()
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def installed_program(entry: str, arguments: Sequence[str] = (), *, folder: str = FOLDER) -> bytes:
    """A program for ``python3 -`` that runs a module where it is installed, and else ends with ELSEWHERE.

    Args:
        entry: as of ``bundle``.
        arguments: as of ``bundle``.
        folder: where lanpi.pi is on the machine.
    """
    return _PROGRAM.format(
        seal=SEAL,
        digest=digest(),
        folder=folder,
        elsewhere=ELSEWHERE,
        arguments=list(arguments),
        entry=entry,
    ).encode()
