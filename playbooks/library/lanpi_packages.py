#!/usr/bin/python
"""Install or remove lanpi's packages."""

from __future__ import annotations

import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_dpkg import (
    APT,
    PackageError,
    half_configured,
    installed,
    run,
    starts_forbidden,
    wait_for_lock,
)
from ansible.module_utils.lanpi_files import capped, difference, place
from ansible.module_utils.lanpi_secrets import Secrets
from ansible.module_utils.lanpi_state import State

DOCUMENTATION = r"""
module: lanpi_packages
short_description: install packages without recommends, or remove those that lanpi installed
description:
  - Waits for whoever holds dpkg's lock, completes what an interrupted run left half configured,
    refreshes the package lists only when something must be installed, and prevents service starts
    meanwhile.
  - Remembers which packages (dependencies included) were not installed before.
options:
  names:
    description: the packages that must be installed.
    type: list
    elements: str
    default: []
  sources:
    description:
      - files with package sources and pins, as lanpi_tree takes files. When one changes, the lists are
        refreshed and packages that are installed already move to their new candidate.
    type: list
    elements: dict
    default: []
  state:
    description: present, or absent to remove all packages that lanpi installed.
    type: str
    choices: [present, absent]
    default: present
  keep_data_of:
    description: with absent, packages whose data and configuration stay (they are removed, not purged).
    type: list
    elements: str
    default: []
  lock_seconds:
    description: how long to wait for dpkg's lock.
    type: float
    default: 300
author: lanpi
"""

EXAMPLES = r"""
- name: Install the packages
  lanpi_packages:
    names: [redis-server, ejabberd]
"""

RETURN = r"""
added:
  description: packages that were installed or upgraded.
  type: list
  returned: present
paths:
  description: package sources that changed.
  type: list
  returned: present
removed:
  description: packages that were removed.
  type: list
  returned: absent
"""

LISTS = Path("/var/lib/apt/lists")
LISTS_FRESH_SECONDS = 3600  # within an hour of the last refresh the mirror will hardly have changed


def lists_are_fresh():
    """Whether the package lists were refreshed within the last hour."""
    stamps = [path.stat().st_mtime for path in LISTS.glob("*_InRelease")]
    return bool(stamps) and abs(time.time() - max(stamps)) < LISTS_FRESH_SECONDS


def present(module, state):
    names, wait = module.params["names"], module.params["lock_seconds"]
    diffs = []
    secrets = Secrets(module.check_mode)
    sources = [wanted["path"] for wanted in module.params["sources"] if place(module, state, secrets, wanted, diffs)]
    if sources and not module.check_mode:
        # An interrupted run must refresh again when it is repeated: the note survives it.
        state.ask("refresh", ["apt"])
        state.save()
    refresh = state.pending.get("apt") == "refresh"
    before = installed()
    broken = half_configured()
    missing = [name for name in names if name not in before]
    if not (missing or broken or refresh or sources):
        return {"changed": False, "added": [], "paths": []}
    if module.check_mode:
        diffs.append(difference("packages", "", "".join(f"{name}\n" for name in missing)))
        return {"changed": True, "added": missing, "paths": sources, "diff": capped(diffs)}
    wait_for_lock(wait)
    with starts_forbidden():
        if broken:
            run(["dpkg", "--configure", "-a", "--force-confdef", "--force-confold"], wait)
            run([*APT, "-f", "install"], wait)
        if refresh or not lists_are_fresh():
            run([*APT, "update", "--error-on=any"], wait)
        # Noted before the install, dependencies included: what an interrupted install left behind
        # must still count as lanpi's.
        simulated = run([*APT, "-s", "install", *names], wait)
        coming = [line.split()[1] for line in simulated.splitlines() if line.startswith("Inst ")]
        new = [name.split(":")[0] for name in coming if name.split(":")[0] not in before]
        state.packages = sorted(set(state.packages) | set(new))
        state.save()
        run([*APT, "install", *names], wait)
    state.pending.pop("apt", None)
    state.save()
    after = installed()
    added = sorted(name for name in after if before.get(name) != after[name])
    return {"changed": bool(added or broken or sources), "added": added, "paths": sources, "diff": capped(diffs)}


def absent(module, state):
    wait = module.params["lock_seconds"]
    there = installed()
    ours = [name for name in state.packages if name in there]
    keep = [name for name in ours if name in module.params["keep_data_of"]]
    purge = [name for name in ours if name not in keep]
    if module.check_mode or not ours:
        return {"changed": bool(ours), "removed": ours}
    wait_for_lock(wait)
    if keep:
        run([*APT, "remove", *keep], wait)
    if purge:
        run([*APT, "purge", *purge], wait)
    state.packages = []
    state.save()
    gone = sorted(set(there) - set(installed()))
    return {"changed": True, "removed": gone}


def main():
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "default": []},
            "sources": {"type": "list", "elements": "dict", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "keep_data_of": {"type": "list", "elements": "str", "default": []},
            "lock_seconds": {"type": "float", "default": 300},
        },
        supports_check_mode=True,
    )
    try:
        work = present if module.params["state"] == "present" else absent
        result = work(module, State())
    except PackageError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
