"""Placing one file: compare, remember what was there, write, say what changed."""

from __future__ import annotations

import base64
import grp
import hashlib
import os
import pwd
import stat
from pathlib import Path

from ansible.module_utils.lanpi_secrets import OTHERS_READ
from ansible.module_utils.lanpi_state import write_atomically


def identity(module, name, database):
    """Numeric id of an owner or group; in check mode one that the install would make is not there yet."""
    try:
        return database(name)[2]
    except KeyError:
        if module.check_mode:
            return None
        return module.fail_json(msg=f"there is no user or group {name!r} on this machine")


def current(path):
    """Content as text, mode, uid and gid of what is there, or None."""
    target = Path(path)
    if not target.is_file():
        return None
    status = target.stat()
    return target.read_bytes().decode(errors="replace"), status.st_mode & 0o7777, status.st_uid, status.st_gid


def difference(path, before, after, note=""):
    """One entry of Ansible's diff format."""
    return {
        "before_header": path,
        "after_header": f"{path}{note}",
        "before": before,
        "after": after,
    }


DIFF_CHARACTERS = 300_000
"""Of all diffs of a task together: ansible-runner empties a result above 700,000 (MAX_EVENT_RES)."""


def capped(diffs, room=DIFF_CHARACTERS):
    """The diffs, the longest ones replaced by a note of their size where all together are too long.

    Args:
        diffs: entries of Ansible's diff format.
        room: characters for all of them, counted as Python writes them.
    """
    sizes = [len(repr(entry["before"])) + len(repr(entry["after"])) for entry in diffs]
    kept = set()
    for index in sorted(range(len(diffs)), key=lambda index: sizes[index]):
        if sizes[index] <= room:
            room -= sizes[index]
            kept.add(index)
    return [entry if index in kept else _noted(entry) for index, entry in enumerate(diffs)]


def _noted(entry):
    before, after = len(entry["before"]), len(entry["after"])
    note = f" ({before} characters before, {after} after: too long to be shown)"
    return {**entry, "after_header": entry["after_header"] + note, "before": "", "after": ""}


def place(module, state, secrets, wanted, diffs):
    """Bring one file to what is wanted; say whether it changed."""
    path, mode = wanted["path"], int(wanted["mode"], 8)
    uid = identity(module, wanted["owner"], pwd.getpwnam)
    gid = identity(module, wanted["group"], grp.getgrnam)
    template = base64.b64decode(wanted["content"]).decode()
    content = secrets.fill_in(template)
    found = current(path)
    digest = hashlib.sha256(content.encode()).hexdigest()
    if found == (content, mode, uid, gid):
        if path in state.files and state.digests.get(path) != digest and not module.check_mode:
            state.digests[path] = digest
            state.save()
        return False
    before = found[0] if found else ""
    notes = ""
    if found and before == content:
        notes = ownership_notes(found[1:], (mode, uid, gid))
    private = not mode & OTHERS_READ or bool(found and not found[1] & OTHERS_READ)
    shown = [secrets.mask(text, template, private=private) for text in (before, content)]
    diffs.append(difference(path, *shown, notes))
    state.ask("reload", wanted.get("reloads", []))
    state.ask("restart", wanted.get("restarts", []))
    if module.check_mode:
        return True
    state.keep_original(path)
    state.digests[path] = digest
    state.save()
    write_atomically(path, content.encode(), mode, uid, gid)
    return True


def break_seals(module, files):
    """Take away the seals that are about to change; the files, with the seals last.

    A seal says that the files around it are of one version. A run that is cut off leaves a mixture without one.
    """
    seals = [wanted for wanted in files if wanted.get("seal")]
    for wanted in seals:
        path = Path(wanted["path"])
        if path.is_file() and path.read_bytes() != base64.b64decode(wanted["content"]) and not module.check_mode:
            path.unlink()
    return [wanted for wanted in files if not wanted.get("seal")] + seals


def put_right(module, state, wanted, diffs):
    """Give what is made at run time its owner and mode; say whether that changed anything.

    The folders around it may belong to a service, which could put a link or somebody else's file there: nothing is
    followed, and nothing that has a second name is touched.
    """
    path = wanted["path"]
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        return module.fail_json(msg=f"{path} is not what it should be: {error.strerror}")
    try:
        found = os.fstat(descriptor)
        if not (stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)):
            return module.fail_json(msg=f"{path} is not what it should be: no file or folder of its own")
        uid = identity(module, wanted["owner"], pwd.getpwnam)
        gid = identity(module, wanted["group"], grp.getgrnam)
        mode = int(wanted["mode"], 8)
        if (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, uid, gid):
            return False
        notes = ownership_notes((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid), (mode, uid, gid))
        diffs.append(difference(path, "", "", notes))
        state.ask("restart", wanted.get("restarts", []))
        if not module.check_mode:
            state.save()
            os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
    return True


def ownership_notes(before, after):
    """Mode, user and group before and after, for people."""
    modes, owners = f"mode {before[0]:04o} -> {after[0]:04o}", f"owner {before[1]}:{before[2]} -> {after[1]}:{after[2]}"
    return f" ({modes}, {owners})"
