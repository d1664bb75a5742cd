#!/usr/bin/python
"""Place lanpi's files on the Pi as one tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_files import break_seals, capped, current, difference, place, put_right
from ansible.module_utils.lanpi_secrets import OTHERS_READ, SecretLostError, Secrets
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
  made:
    description: path, owner, group, mode and restarts of what is made at run time; put right where it is there.
    type: list
    elements: dict
    default: []
  secrets:
    description: >-
      secrets that are never made again where something may depend on them, with name, what, file, needed_by and
      hint of each.
    type: list
    elements: dict
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
    private = bool(found and not found[1] & OTHERS_READ)
    shown = [secrets.mask(text, private=private) for text in (before, after)]
    diffs.append(difference(path, *shown, " (no longer placed)"))
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


def compile_sealed(files, changed):
    """Compile the Python beside a seal, so that whoever runs it, root or not, need not.

    In a process of its own that nobody waits for: the services start meanwhile, and what is not compiled yet runs
    all the same.
    """
    for folder in {str(Path(wanted["path"]).parent) for wanted in files if wanted.get("seal")}:
        if any(path.startswith(f"{folder}/") for path in changed):
            subprocess.Popen(
                ["nice", sys.executable, "-m", "compileall", "-q", folder],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True, umask=0o022,
            )  # fmt: skip


def take_parameters(module):
    """The module's parameters, and in their place the paths alone.

    Ansible sends them back with every result, a failure's too, and ansible-runner empties a result above 700,000
    characters (MAX_EVENT_RES): a first install then said that nothing was written.
    """
    given = module.params
    module.params = {"files": [wanted["path"] for wanted in given["files"]]}
    return given


def main():
    module = AnsibleModule(
        argument_spec={
            "files": {"type": "list", "elements": "dict", "required": True},
            "prune": {"type": "bool", "default": False},
            "others": {"type": "list", "elements": "str", "default": []},
            "made": {"type": "list", "elements": "dict", "default": []},
            # Declarations, which hold none: Ansible would take the name for one.
            "secrets": {"type": "list", "elements": "dict", "default": [], "no_log": False},
        },
        supports_check_mode=True,
    )
    given = take_parameters(module)
    state, secrets, diffs = State(), Secrets(module.check_mode), []
    try:
        secrets.recover(given["files"], state.digests, given["secrets"])
    except SecretLostError as error:
        module.fail_json(msg=str(error))
    files = break_seals(module, given["files"])
    changed = [wanted["path"] for wanted in files if place(module, state, secrets, wanted, diffs)]
    if not module.check_mode:
        compile_sealed(files, changed)
    changed += [wanted["path"] for wanted in given["made"] if put_right(module, state, wanted, diffs)]
    if given["prune"]:
        kept = {wanted["path"] for wanted in given["files"]} | set(given["others"])
        for path in sorted(set(state.files) - kept):
            remove(module, state, secrets, path, diffs)
            changed.append(path)
    # In check mode nothing is noted on disk; the caller hands this on to lanpi_units.
    module.exit_json(changed=bool(changed), paths=changed, diff=capped(diffs), asked=state.pending)


if __name__ == "__main__":
    main()
