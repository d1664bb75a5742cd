#!/usr/bin/python
"""The last step of an uninstall: data, secrets and what lanpi remembered."""

from __future__ import annotations

import shutil
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_state import FOLDER, State

DOCUMENTATION = r"""
module: lanpi_data
short_description: remove lanpi's data folders, or leave people's data in place
options:
  paths:
    description: folders that hold people's data.
    type: list
    elements: str
    required: true
  keep:
    description: leave I(paths), the secrets and the configuration in place.
    type: bool
    required: true
author: lanpi
"""

EXAMPLES = r"""
- name: Remove the data
  lanpi_data: {paths: [/var/lib/ejabberd], keep: false}
"""

RETURN = r"""
kept:
  description: the paths that remain.
  type: list
  returned: always
"""

MOVED = "moved.json"


def remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remembered(folder):
    """What lanpi remembers about the Pi, without the note that its server has moved.

    The note stays with the data: without it, the next install would start a second server with the same name.
    """
    if not (folder / MOVED).exists():
        return [folder]
    return [path for path in sorted(folder.iterdir()) if path.name != MOVED]


def main():
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "str", "required": True},
            "keep": {"type": "bool", "required": True},
        },
        supports_check_mode=True,
    )
    data = [Path(path) for path in module.params["paths"]]
    private = Path("/etc/lanpi")
    # Logs speak of people too; they go with the data.
    extra = [Path("/var/log/ejabberd"), Path("/var/log/redis"), Path("/var/lib/redis")]
    if module.params["keep"]:
        gone = [*remembered(FOLDER), Path("/usr/lib/lanpi"), Path("/run/lanpi"), Path("/var/lib/redis")]
        kept = [path for path in (*data, private) if path.exists()]
    else:
        gone = [*data, *extra, private, FOLDER, Path("/usr/lib/lanpi"), Path("/run/lanpi")]
        kept = []
    gone += Path("/var/lib/systemd/timers").glob("stamp-lanpi-*")
    there = [path for path in gone if path.exists()]
    folders = [Path(folder) for folder in State().folders]
    if not module.check_mode:
        for path in there:
            remove(path)
        # Deepest first, and only those in which nobody else has put anything.
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    module.exit_json(changed=bool(there), kept=[str(path) for path in kept])


if __name__ == "__main__":
    main()
