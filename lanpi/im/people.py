"""People, groups, rooms and invitations of one Pi: each question is one round trip to ``lanpi.pi.im.manage``."""

import json
from typing import Any

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.ship.bundle import run_program

PROGRAM = "lanpi.pi.im.manage"


def manage(host: Host, domain: str, action: str, **arguments: Any) -> dict[str, Any]:
    """Do something on the Pi, as ``lanpi.pi.im.manage.Actions`` names it.

    Args:
        host: the Pi.
        domain: its XMPP domain.
        action: the method's name.
        arguments: its keyword arguments; they travel inside the program, where no other user sees them.

    Raises:
        LanpiError: BAD_INPUT when nothing was changed because the request was wrong, FAILED otherwise.
    """
    done = run_program(host, PROGRAM, [domain, action, json.dumps(arguments)], root=True)
    if done.exit_status != 0:
        last = done.error_text.strip().rpartition("\n")[2]
        raise LanpiError(f"the Pi could not do that: {last}", host=host.name, next_step="Run `lanpi doctor`")
    answer = json.loads(done.stdout)
    if problem := answer.get("problem"):
        raise LanpiError(
            problem["what"],
            host=host.name,
            next_step=problem["next_step"],
            exit_code=ExitCode.BAD_INPUT if problem["bad_input"] else ExitCode.FAILED,
        )
    found: dict[str, Any] = answer["done"]
    return found
