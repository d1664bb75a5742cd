#!/usr/bin/python
"""Place lanpi's files on the Pi as one tree."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_files import current, difference, place
from ansible.module_utils.lanpi_secrets import Secrets
from ansible.module_utils.lanpi_state import State, write_atomically

DOCUMENTATION = r"""
module: lanpi_tree
short_description: place files, remove files that are no longer wanted, remember the originals
description:
  - Compares each file's content, owner, group and mode, and writes those that differ, each atomically.
  - Whatever was at a path before the first write is kept for an uninstall.
  - Restarts and reloads that a changed file asks for are noted before it is written.
options:
  files:
    description: >-
      path, content, owner, group, mode, restarts, reloads of each file. The content is Base64, so that Ansible
      does not mistake a brace in it for a template.
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
      - {path: /etc/sysctl.d/90-lanpi.conf, content: "{{ 'vm.swappiness = 100' | b64encode }}",
         owner: root, group: root, mode: "0644", restarts: [systemd-sysctl.service], reloads: []}
"""

RETURN = r"""
paths:
  description: the paths that changed (or would change, in check mode).
  type: list
  returned: always
asked:
  description: the restarts and reloads that changed files ask for, unit to verb.
  type: dict
  returned: always
"""


UNITS = "/etc/systemd/system/"


def remove(module, state, secrets, path, diffs):
    """Remove a file that is no longer wanted, and restore what was there before lanpi."""
    found = current(path)
    original = state.files[path]
    before = found[0] if found else ""
    after = "" if original == "created" else Path(original).read_text(errors="replace")
    diffs.append(difference(path, secrets.mask(before), secrets.mask(after), " (no longer placed)"))
    if module.check_mode:
        return
    if original == "created":
        if path.startswith(UNITS) and path.count("/") == UNITS.count("/"):
            # Without its file systemd would keep the unit running, and could no longer be told to stop it.
            subprocess.run(["systemctl", "disable", "--now", "-q", Path(path).name], check=False, capture_output=True)
            state.ask("reload", ["systemd"])
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
    # In check mode nothing is noted on disk; the caller hands this on to lanpi_units.
    module.exit_json(
        changed=bool(changed),
        paths=changed,
        diff=diffs,
        asked=state.pending,
        # Ansible would send all files back with the result, and ansible-runner empties one above 700,000 bytes
        # (MAX_EVENT_RES): a first install then said that nothing was written.
        invocation={"module_args": {"files": [wanted["path"] for wanted in module.params["files"]]}},
    )


if __name__ == "__main__":
    main()
