"""Placing one file: compare, remember what was there, write, say what changed."""

from __future__ import annotations

import base64
import grp
import hashlib
import pwd
from pathlib import Path

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


def place(module, state, secrets, wanted, diffs):
    """Bring one file to what is wanted; say whether it changed."""
    path, mode = wanted["path"], int(wanted["mode"], 8)
    uid = identity(module, wanted["owner"], pwd.getpwnam)
    gid = identity(module, wanted["group"], grp.getgrnam)
    content = secrets.fill_in(base64.b64decode(wanted["content"]).decode())
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
        notes = f" (mode {found[1]:04o} -> {mode:04o}, owner {found[2]}:{found[3]} -> {uid}:{gid})"
    diffs.append(difference(path, secrets.mask(before), secrets.mask(content), notes))
    state.ask("reload", wanted.get("reloads", []))
    state.ask("restart", wanted.get("restarts", []))
    if module.check_mode:
        return True
    state.keep_original(path)
    state.digests[path] = digest
    state.save()
    write_atomically(path, content.encode(), mode, uid, gid)
    return True
