"""Whether files and folders belong to whom they should, with the mode that they should have."""

import grp
import os
import pwd
from collections.abc import Iterable

Wanted = tuple[str, str, str, str]
"""Path, owner, group and mode ("0640"); an empty text means that any will do."""


def differing(wanted: Iterable[Wanted]) -> list[dict[str, str]]:
    """Those that are there and belong to others, or have another mode.

    What is missing is left out: whether it should be there is another question (``placed.drift``).

    Args:
        wanted: what should be; links are not followed.

    Returns:
        ``path``, ``now`` ("root:root 0600") and ``wanted`` in the same form, with what is there where any will do.
    """
    found = []
    for path, owner, group, mode in wanted:
        try:
            status = os.lstat(path)
        except OSError:  # not there; or a folder above may not be entered, which only root is told
            continue
        now = (_user(status.st_uid), _group(status.st_gid), f"{status.st_mode & 0o7777:04o}")
        should = (owner or now[0], group or now[1], mode.rjust(4, "0") if mode else now[2])
        if now != should:
            found.append({"path": path, "now": _told(now), "wanted": _told(should)})
    return found


def _told(what: tuple[str, str, str]) -> str:
    return f"{what[0]}:{what[1]} {what[2]}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # of a user who was removed, or of another system
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
