"""The Pi's own check, now: it is in the history from then on, and so ends what older failures said."""

import json
from typing import Any

from lanpi.errors import LanpiError
from lanpi.hosts.base import Host
from lanpi.progress import Progress

CHECK = "/usr/lib/lanpi/check"
CHECK_SECONDS = 120


def has_check(host: Host) -> bool:
    """Whether the Pi has a check of its own; one that an older lanpi installed has none."""
    return host.run(["test", "-x", CHECK], root=True, check=False).exit_status == 0


def run_check(host: Host) -> dict[str, Any]:
    """Check whether messages are delivered on the Pi.

    Returns:
        The sample: ``passed``, ``error``, and each part's time in seconds (lanpi/pi/checks/ring.py).

    Raises:
        LanpiError: FAILED when the check could not run, which says nothing about the messages.
    """
    done = host.run([CHECK, "check"], root=True, check=False, timeout_seconds=CHECK_SECONDS)
    if done.exit_status != 0:
        last = done.error_text.strip().rpartition("\n")[2]
        raise LanpiError(
            f"the check did not run: {last or done.exit_status}",
            host=host.name,
            next_step="Repair the check: lanpi install",
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check_now(host: Host, report: Progress) -> None:
    """At the end of what stopped or changed a server: let the Pi see for itself that messages are delivered again.

    The flow's own proof has shown it already, so a check that cannot run is told and is no failure of the flow.
    """
    if not has_check(host):
        return
    try:
        sample = run_check(host)
    except LanpiError as error:
        report.note(error.what)
        return
    if not sample.get("passed"):
        report.note(f"the Pi's own check does not pass yet: {sample.get('error', 'no message passed')}")
