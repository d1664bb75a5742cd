"""What ``--fix`` does about a finding, one step each; every step is safe to repeat."""

import json
import time
from collections.abc import Callable, Iterable

from lanpi.deploy.session import Session
from lanpi.doctor.result import Finding
from lanpi.progress import Progress

TIMEOUT_SECONDS = 300.0

DOES = {
    "converge": "restore lanpi's packages, files and services (lanpi install)",
    "restart": "restart {target}",
    "free-disk": "empty apt's cache and shorten the journal to 16 MB",
    "dpkg": "complete the setup of interrupted packages (dpkg --configure -a)",
    "certificate": "make a new certificate (lanpi-tls.service)",
    "clock": "set the Pi's clock from this machine",
    "time-service": "start systemd-timesyncd, now and at every boot",
    "unban": "lift ejabberd's ban on {target}",
}
# What other steps need comes first: space and time, then packages and files, then services.
ORDER = ("free-disk", "clock", "time-service", "dpkg", "converge", "certificate", "restart", "unban")


def plan(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """The actions that these findings ask for, each once, in the order in which to run them: (action, target)."""
    asked: dict[tuple[str, str], None] = {}
    for finding in findings:
        result = finding.result
        if result.state in ("critical", "warning") and result.action:
            asked[(result.action, result.target if "{target}" in DOES[result.action] else "")] = None
    return sorted(asked, key=lambda step: ORDER.index(step[0]))


def say(action: str, target: str) -> str:
    """An action in words."""
    return DOES[action].format(target=target)


def mend(session: Session, action: str, target: str, converge: Callable[[], None], report: Progress) -> None:
    """Carry out one action, with the Pi's lease as for any other change.

    Args:
        session: the Pi.
        action: of ``DOES``.
        target: what it is about.
        converge: runs an install.
        report: is told when there is another lanpi to wait for.

    Raises:
        LanpiError: FAILED when it did not work, BLOCKED when another lanpi is at work, and what ``Host.run`` raises.
    """
    with session.lease(report):
        if action == "converge":
            converge()
            return
        for argv in commands(action, target, now=time.time()):
            session.run(argv, root=True, timeout_seconds=TIMEOUT_SECONDS)


def commands(action: str, target: str, *, now: float) -> list[list[str]]:
    """The commands of an action (except converge, which is not a command)."""
    if action == "restart":
        return [["systemctl", "reset-failed", target], ["systemctl", "restart", target]]
    if action == "free-disk":
        return [["apt-get", "clean"], ["journalctl", "--rotate"], ["journalctl", "--vacuum-size=16M"]]
    if action == "dpkg":
        return [["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confold", "--configure", "-a"]]
    if action == "certificate":
        # It makes a new certificate only where names, end or authority are wrong, which is what was found.
        return [["systemctl", "restart", "lanpi-tls.service"]]
    if action == "clock":
        return [["date", "-u", "-s", f"@{now:.0f}"]]
    if action == "time-service":
        return [["systemctl", "enable", "--now", "systemd-timesyncd.service"]]
    return [["/usr/lib/lanpi/im-call", "unban_ip", json.dumps({"address": target})]]
