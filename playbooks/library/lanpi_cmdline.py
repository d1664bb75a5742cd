#!/usr/bin/python
"""Change words of the firmware's kernel command line, which must stay one line."""

from __future__ import annotations

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_state import State, write_atomically

DOCUMENTATION = r"""
module: lanpi_cmdline
short_description: add and remove words in cmdline.txt
description:
  - The original is kept once. The Pi must be rebooted for the change to take effect.
options:
  path:
    description: the file, such as /boot/firmware/cmdline.txt.
    type: str
    required: true
  wanted:
    description: words that must be present.
    type: list
    elements: str
    default: []
  unwanted:
    description: words that must be absent.
    type: list
    elements: str
    default: []
  state:
    description: present, or absent to put the original back.
    type: str
    choices: [present, absent]
    default: present
author: lanpi
"""

EXAMPLES = r"""
- name: Enable the memory cgroup
  lanpi_cmdline: {path: /boot/firmware/cmdline.txt, wanted: [cgroup_enable=memory]}
"""

RETURN = r"""
words:
  description: the words of the line afterwards.
  type: list
  returned: always
"""


def new_line(text, wanted, unwanted):
    """The one line with the words changed and the others in their order; pure."""
    words = [word for word in text.split() if word not in unwanted]
    words += [word for word in wanted if word not in words]
    return " ".join(words) + "\n"


def main():
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "str", "required": True},
            "wanted": {"type": "list", "elements": "str", "default": []},
            "unwanted": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    state = State()
    path = module.params["path"]
    before = Path(path).read_text()
    if module.params["state"] == "present":
        after = new_line(before, module.params["wanted"], module.params["unwanted"])
    else:
        original = state.files.get(path)
        after = Path(original).read_text() if original and original != "created" else before
    changed = after.split() != before.split()
    if changed and not module.check_mode:
        state.keep_original(path)
        state.save()
        # The firmware partition is FAT: it has no owners and modes to keep.
        write_atomically(path, after.encode(), 0o755)
    if module.params["state"] == "absent" and path in state.files and not module.check_mode:
        del state.files[path]
        state.save()
    difference = {"before_header": path, "after_header": path, "before": before, "after": after}
    module.exit_json(changed=changed, words=after.split(), diff=difference if changed else {})


if __name__ == "__main__":
    main()
