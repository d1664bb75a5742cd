#!/usr/bin/python
"""Bring systemd units to their wanted state, restarting only what a changed file asks for."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lanpi_secrets import Secrets
from ansible.module_utils.lanpi_state import State

DOCUMENTATION = r"""
module: lanpi_units
short_description: enable, start, stop, run and restart units
description:
  - Starts all units at once, each as soon as the order in their files (Before=, After=) lets it; those that
    have none between them are queued in the order given. Restarts and reloads that earlier file changes asked
    for, in this run or in one that was interrupted, are done here.
  - Remembers each enablement that it changes, for an uninstall.
options:
  units:
    description:
      - name of each unit, state (started, stopped, run for a oneshot, or none), enabled (true, false or
        none), optional (a missing unit is not an error).
    type: list
    elements: dict
    default: []
  asked:
    description: restarts and reloads that a check of the files found, unit to verb; used in check mode only.
    type: dict
    default: {}
  state:
    description: present, or absent to return the units to the state in which lanpi found them.
    type: str
    choices: [present, absent]
    default: present
author: lanpi
"""

EXAMPLES = r"""
- name: Start the services
  lanpi_units:
    units:
      - {name: redis-server.service, state: started, enabled: true}
"""

RETURN = r"""
done:
  description: what was done, one "verb unit" each.
  type: list
  returned: always
"""

JOURNAL_LINES = "15"
REASON_LENGTH = 400  # characters: an Erlang term can go on for pages


class UnitError(Exception):
    """A unit did not reach its state; the text is for the user."""


def systemctl(*arguments, check=True):
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise UnitError(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def show(names):
    """Properties of units, by name; one systemctl call for all."""
    if not names:
        return {}
    wanted = "Id,LoadState,ActiveState,UnitFileState,ConditionResult,ConditionTimestampMonotonic,Result"
    blocks = systemctl("show", "--property", wanted, *names).split("\n\n")
    # Not every kind of unit has a result.
    rows = [{"Result": ""} | dict(line.split("=", 1) for line in block.splitlines()) for block in blocks]
    # Keyed by the name asked for: an alias (redis.service) answers with its real Id.
    return dict(zip(names, rows, strict=True))


def held_back(facts):
    """Whether systemd tried to start a unit and its conditions did not hold."""
    return facts["ConditionResult"] == "no" and facts["ConditionTimestampMonotonic"] not in ("", "0")


def reason(unit, log):
    """Why a unit failed: its own log's last critical line where it keeps one, else its journal's end."""
    if log and Path(log).is_file():
        with Path(log).open(errors="replace") as file:
            critical = [line for line in file if "[critical]" in line]
        if critical:
            return critical[-1].strip()[:REASON_LENGTH]
    lines = subprocess.run(
        ["journalctl", "-u", unit, "-n", JOURNAL_LINES, "--no-pager", "-o", "cat"],
        capture_output=True, text=True, check=False,
    ).stdout.splitlines()  # fmt: skip
    return "; ".join(line.strip() for line in lines[-4:] if line.strip())


def act(verb, unit, log=""):
    """Start, restart or reload a unit.

    Raises:
        UnitError: it did not come up; with the last lines of its journal.
    """
    systemctl("reset-failed", unit, check=False)  # a start limit hit earlier must not refuse this one
    done = subprocess.run(["systemctl", verb, unit], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UnitError(f"{unit} did not {verb}: {reason(unit, log) or done.stderr.strip()}")


def bring_up(units, steps):
    """Start and restart units at once, each as soon as systemd's order (Before=, After=) lets it.

    What restarts is queued backwards, so that a service stops before the one that it needs: ejabberd takes minutes
    to stop once its Redis is gone. Then all are asked to start, in the order of their declarations, and waited for.

    Args:
        units: declarations, in order.
        steps: name -> verbs of each.

    Raises:
        UnitError: the first of them that did not come up; with the last lines of its journal.
    """
    restarts = [unit["name"] for unit in units if "restart" in steps[unit["name"]]]
    starts = [unit["name"] for unit in units if {"start", "restart"} & set(steps[unit["name"]])]
    if not starts:
        return
    systemctl("reset-failed", *starts, check=False)  # a start limit hit earlier must not refuse them
    if restarts:
        systemctl("restart", "--no-block", *reversed(restarts))
    done = subprocess.run(["systemctl", "start", *starts], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    found = show(starts)
    bad = failed([unit for unit in units if unit["name"] in found], found)
    if bad is None:
        raise UnitError(f"systemctl start: {done.stderr.strip()}")
    name = bad["name"]
    verb = "restart" if name in restarts else "start"
    raise UnitError(f"{name} did not {verb}: {reason(name, bad.get('log', '')) or done.stderr.strip()}")


def failed(units, found):
    """The unit that keeps the others from coming up: the first that failed, else the first that is down; pure."""
    down = [unit for unit in units if not held_back(found[unit["name"]]) and not is_up(unit, found[unit["name"]])]
    broken = [unit for unit in down if found[unit["name"]]["Result"] not in ("success", "")]
    return next(iter(broken + down), None)


def is_up(unit, facts):
    """Whether a unit that was started is where it should be."""
    if facts["ActiveState"] in ("active", "reloading"):
        return True
    return unit.get("state") == "run" and facts["ActiveState"] == "inactive" and facts["Result"] == "success"


def steps_for(wanted, found, pending):
    """The verbs that bring one unit to what is wanted; pure.

    Args:
        wanted: the unit's declaration.
        found: its properties.
        pending: "restart", "reload" or None.

    Returns:
        Verbs in order: enable, disable, start, stop, restart, reload.
    """
    verbs = []
    enabled = found["UnitFileState"] in ("enabled", "enabled-runtime", "alias")
    if wanted.get("enabled") is True and found["UnitFileState"] in ("disabled", "indirect", "masked"):
        verbs.append("enable")
    if wanted.get("enabled") is False and enabled:
        verbs.append("disable")
    active = found["ActiveState"] in ("active", "activating", "reloading")
    if wanted.get("state") == "started":
        if not active:
            verbs.append("start")
        elif pending:
            verbs.append(pending)
    elif wanted.get("state") == "stopped" and active:
        verbs.append("stop")
    elif wanted.get("state") == "run" and (pending or found["ActiveState"] != "active"):
        # A oneshot that stays "active (exited)" has done its work; others run every time.
        verbs.append("restart" if found["ActiveState"] == "active" else "start")
    return verbs


def carry_out(units, steps, found, state):
    """What all units need, as few calls of systemctl as there are verbs.

    Raises:
        UnitError: one of them did not reach its state.
    """
    of = {verb: [unit["name"] for unit in units if verb in steps[unit["name"]]]
          for verb in ("enable", "disable", "stop", "reload")}  # fmt: skip
    for name in (*of["enable"], *of["disable"]):
        state.units.setdefault(name, found[name]["UnitFileState"])
    state.stopped = sorted({*state.stopped, *of["stop"]})
    state.save()
    for verb in ("enable", "disable", "stop"):
        if of[verb]:
            systemctl(verb, *of[verb])
    bring_up(units, steps)
    for name in of["reload"]:
        act("reload", name)


def present(module, state):
    units = module.params["units"]
    if module.check_mode:
        state.pending.update(module.params["asked"])
        state.pending.pop("systemd", None)
    if state.pending and not module.check_mode:
        systemctl("daemon-reload")
        # Files that ask for no more than that (slices, timers' services) name "systemd" itself.
        state.pending.pop("systemd", None)
        state.save()
    found = show([unit["name"] for unit in units])
    there = []
    for unit in units:
        state_of = found[unit["name"]]["LoadState"]
        if state_of in ("not-found", "error", "bad-setting"):
            if unit.get("optional") and (state_of == "not-found" or not module.check_mode):
                continue
            if not module.check_mode:  # a check has not placed the unit's file
                raise UnitError(f"{unit['name']} is not there (systemd says {state_of})")
        there.append(unit)
    steps = {unit["name"]: steps_for(unit, found[unit["name"]], state.pending.get(unit["name"])) for unit in there}
    if not module.check_mode:
        carry_out(there, steps, found, state)
        if any(steps.values()):
            found = found | show([unit["name"] for unit in there])
    done = []
    for unit in there:
        name = unit["name"]
        # A routine run of a oneshot is no change. Nor is the start of a unit whose conditions do not hold (a time
        # service in a container): systemd reports success, and it stays down by design.
        quiet = (unit.get("state") == "run" and name not in state.pending) or held_back(found[name])
        done += [f"{verb} {name}" for verb in steps[name] if not (quiet and verb == "start")]
        if not module.check_mode:
            state.pending.pop(name, None)
    if not module.check_mode:
        state.save()
    # What is asked for but not declared (a service that another package owns) is done last.
    declared = {unit["name"] for unit in units}
    for name, verb in sorted(state.pending.items()):
        if name in declared:
            continue
        if not module.check_mode:
            if show([name])[name]["ActiveState"] == "active" or verb == "reload":
                act("try-restart" if verb == "restart" else "reload", name)
            del state.pending[name]
            state.save()
        done.append(f"{verb} {name}")
    return done


def absent(module, state):
    """Stop what lanpi started, enable and start again what it had switched off."""
    done = []
    for unit in reversed(module.params["units"]):
        name = unit["name"]
        facts = show([name])[name]
        if facts["LoadState"] == "not-found" or unit.get("state") == "stopped":
            continue
        if facts["ActiveState"] in ("active", "activating") and unit.get("state") in ("started", "run"):
            done.append(f"stop {name}")
            if not module.check_mode:
                systemctl("stop", name)
        if unit.get("enabled") and facts["UnitFileState"] == "enabled" and name in state.units:
            done.append(f"disable {name}")
            if not module.check_mode:
                systemctl("disable", name)
    for name, before in sorted(state.units.items()):
        if before == "enabled" and show([name])[name]["LoadState"] != "not-found":
            done.append(f"enable {name}")
            if not module.check_mode:
                systemctl("enable", name)
    for name in sorted(state.stopped):
        if show([name])[name]["LoadState"] != "not-found":
            done.append(f"start {name}")
            if not module.check_mode:
                act("start", name)
    if not module.check_mode:
        state.units, state.stopped, state.pending = {}, [], {}
        state.save()
    return done


def main():
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "list", "elements": "dict", "default": []},
            "asked": {"type": "dict", "default": {}},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    work = present if module.params["state"] == "present" else absent
    try:
        done = work(module, State())
    except UnitError as error:
        # What a service's log says may hold what its configuration holds.
        module.fail_json(msg=Secrets(check_mode=True).mask(str(error), private=True))
    module.exit_json(changed=bool(done), done=done)


if __name__ == "__main__":
    main()
