#!/usr/bin/python
"""Place lanpi's files on the Pi as one tree."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_secrets import Secrets
from ansible.module_utils.lanpi_state import State, write_atomically

DOCUMENTATION = r"""
module: lanpi_tree
short_description: place files, remove files that are no longer wanted, remember what was there
description:
  - Compares each file's content, owner, group and mode, and writes those that differ, each atomically.
  - What was at a path before the first write is kept for uninstall.
  - Restarts and reloads that a changed file asks for are noted before it is written.
options:
  files:
    description: path, content, owner, group, mode, restarts, reloads of each file.
    type: list
    elements: dict
    required: true
  prune:
    description: remove files that an earlier run placed and that are not in I(files) or I(others).
    type: bool
    default: false
  others:
    description: paths that other tasks of the same run place.
    type: list
    elements: str
    default: []
author: lanpi
"""

EXAMPLES = r"""
- name: Place the files
  lanpi_tree:
    files:
      - {path: /etc/sysctl.d/90-lanpi.conf, content: "vm.swappiness = 100\n", owner: root, group: root,
         mode: "0644", restarts: [systemd-sysctl.service], reloads: []}
"""

RETURN = r"""
paths:
  description: the paths that changed (or would, in check mode).
  type: list
  returned: always
"""


def identity(module, name, database):
    """Numeric id of an owner or group; in check mode one that the install would make is not there yet."""
    try:
        return database(name)[2]
    except KeyError:
        if module.check_mode:
            return None
        return module.fail_json(msg=f"no user or group {name!r} on this machine")


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
    content = secrets.fill_in(wanted["content"])
    found = current(path)
    if found == (content, mode, uid, gid):
        return False
    before = found[0] if found else ""
    notes = ""
    if found and before == content:
        notes = f" (mode {found[1]:04o} -> {mode:04o}, owner {found[2]}:{found[3]} -> {uid}:{gid})"
    diffs.append(difference(path, secrets.mask(before), secrets.mask(content), notes))
    if module.check_mode:
        return True
    state.keep_original(path)
    state.ask("reload", wanted.get("reloads", []))
    state.ask("restart", wanted.get("restarts", []))
    state.save()
    write_atomically(path, content.encode(), mode, uid, gid)
    return True


def remove(module, state, secrets, path, diffs):
    """Take away a file that is no longer wanted, and put back what was there before lanpi."""
    found = current(path)
    original = state.files[path]
    before = found[0] if found else ""
    after = "" if original == "created" else Path(original).read_text(errors="replace")
    diffs.append(difference(path, secrets.mask(before), secrets.mask(after), " (no longer placed)"))
    if module.check_mode:
        return
    if original == "created":
        Path(path).unlink(missing_ok=True)
    else:
        status = Path(original).stat()
        write_atomically(path, Path(original).read_bytes(), status.st_mode & 0o7777, status.st_uid, status.st_gid)
    del state.files[path]
    state.save()


def main():
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True},
            "prune": {"type": "bool", "default": False},
            "others": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    state, secrets, diffs = State(), Secrets(module.check_mode), []
    changed = [wanted["path"] for wanted in module.params["files"] if place(module, state, secrets, wanted, diffs)]
    if module.params["prune"]:
        kept = {wanted["path"] for wanted in module.params["files"]} | set(module.params["others"])
        for path in sorted(set(state.files) - kept):
            remove(module, state, secrets, path, diffs)
            changed.append(path)
    module.exit_json(changed=bool(changed), paths=changed, diff=diffs)


if __name__ == "__main__":
    main()
