"""What ``--fix`` does about findings: one step after the other, looking again in between; every step is repeatable."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lanpi.deploy.check import run_check
from lanpi.deploy.session import Session
from lanpi.errors import ExitCode, LanpiError
from lanpi.health.doctor import Diagnosis
from lanpi.health.finding import Action
from lanpi.health.readings import Limited
from lanpi.progress import Progress

TIMEOUT_SECONDS = 300.0

DOES: dict[Action, str] = {
    "converge": "restore lanpi's packages, files and services (lanpi install)",
    "restart": "restart {target}",
    "enable": "start {target}, now and at every boot",
    "unmask": "unmask {target}, and start it now and at every boot",
    "free-disk": "empty apt's cache and shorten the journal to 16 MB",
    "dpkg": "complete the setup of interrupted packages (dpkg --configure -a)",
    "certificate": "make a new certificate (lanpi-tls.service)",
    "reload": "let ejabberd load its configuration and certificate again",
    "ownership": "put owner and mode of {target} right",
    "clock": "set the Pi's clock from this machine",
    "time-service": "start systemd-timesyncd, now and at every boot",
    "check": "check now whether messages are delivered",
    "unban": "lift ejabberd's ban on {target}",
    "unlimit": "take {target} out of the firewall's set",
}
# What other steps need comes first: space and time, then packages and files, then services, then what proves it.
ORDER: tuple[Action, ...] = (
    "free-disk", "clock", "time-service", "dpkg", "ownership", "converge", "certificate", "unmask", "enable", "restart",
    "reload", "unban", "unlimit", "check",
)  # fmt: skip

# What could not start for it starts now, and counts its restarts from here on; what runs, or is switched off, stays so.
START_AGAIN = [
    "sh", "-c",
    "for unit in redis-server ejabberd; do systemctl -q is-enabled $unit && ! systemctl -q is-active $unit || continue;"
    " systemctl reset-failed $unit; systemctl restart $unit || exit; done",
]  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One thing that can be done, and what it is about; "" where the action says it all."""

    action: Action
    target: str

    @property
    def says(self) -> str:
        """It in words."""
        target = self.target
        if self.action == "ownership":
            paths = [line.split(" ", 2)[2] for line in target.splitlines()]
            target = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        return DOES[self.action].format(target=target)


def plan(diagnoses: Iterable[Diagnosis]) -> list[Step]:
    """The steps that these findings ask for, each once, in the order in which to take them."""
    asked: dict[Step, None] = {}
    for diagnosis in diagnoses:
        for finding in diagnosis.steps:
            asked[Step(finding.action, finding.target if "{target}" in DOES[finding.action] else "")] = None
    return sorted(asked, key=lambda step: ORDER.index(step.action))


def next_step(diagnoses: Iterable[Diagnosis], offered: Iterable[Step]) -> Step | None:
    """The first step that was not offered yet; None when there is none left.

    A step that an earlier one has made needless is not among what a new look finds.
    """
    known = set(offered)
    return next((step for step in plan(diagnoses) if step not in known), None)


def steps_for(limited: Iterable[Limited], address: str) -> list[Step]:
    """The steps that let an address in again.

    Raises:
        LanpiError: BAD_INPUT when nothing keeps it out.
    """
    found = [each for each in limited if each.who == address]
    if not found:
        raise LanpiError(
            f"nothing on the Pi keeps {address} out",
            next_step="`lanpi status` lists whom the Pi keeps out",
            exit_code=ExitCode.BAD_INPUT,
        )
    return [
        Step("unban", address) if each.by == "ejabberd" else Step("unlimit", f"{each.by} {address}") for each in found
    ]


def take(session: Session, step: Step, converge: Callable[[], None], report: Progress) -> None:
    """Take one step, with the Pi's lease as for any other change.

    Args:
        session: the Pi.
        step: of :func:`plan`.
        converge: runs an install.
        report: is told when there is another lanpi to wait for.

    Raises:
        LanpiError: FAILED when it did not work, BLOCKED when another lanpi is at work, and what ``Host.run`` raises.
    """
    with session.lease(report):
        match step.action:
            case "converge":
                converge()
            case "check":
                run_check(session)
            case _:
                for argv in commands(step, now=time.time()):
                    session.run(argv, root=True, timeout_seconds=TIMEOUT_SECONDS)


FORGET = 'nft delete element inet lanpi "$1" "{ $2 }" || :'
"""Where there is nothing to forget, nft fails, and that is well."""


def commands(step: Step, *, now: float) -> list[list[str]]:
    """The commands of a step (but converge and check, which are more than commands).

    Raises:
        KeyError: for one of those two.
    """
    target = step.target
    name, _, who = target.partition(" ")
    fixed: dict[Action, list[list[str]]] = {
        "restart": [["systemctl", "reset-failed", target], ["systemctl", "restart", target]],
        "enable": [["systemctl", "enable", "--now", target]],
        # Both places: somebody may have masked it until the next boot only.
        "unmask": [["systemctl", "unmask", target], ["systemctl", "unmask", "--runtime", target],
                   ["systemctl", "enable", "--now", target]],
        "free-disk": [["apt-get", "clean"], ["journalctl", "--rotate"], ["journalctl", "--vacuum-size=16M"]],
        "dpkg": [["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confold", "--configure", "-a"]],
        # It makes a new one only if names, end date or authority are wrong; what is right is loaded again.
        "certificate": [["systemctl", "restart", "lanpi-tls.service"], ["/usr/lib/lanpi/im-call", "reload_config"]],
        "reload": [["/usr/lib/lanpi/im-call", "reload_config"]],
        "ownership": [*(argv for line in target.splitlines() for argv in _owned(line)), START_AGAIN],
        "clock": [["date", "-u", "-s", f"@{now:.0f}"]],
        "time-service": [["systemctl", "enable", "--now", "systemd-timesyncd.service"]],
        "unban": [["/usr/lib/lanpi/im-call", "unban_ip", json.dumps({"address": each})] for each in _as_seen(target)],
        "unlimit": [
            ["nft", "delete", "element", "inet", "lanpi", name, f"{{ {who} }}"],
            # The rate is forgotten with it, where it is still remembered.
            ["sh", "-c", FORGET, "sh", name.replace("limited", "rate"), who],
        ],
    }  # fmt: skip
    return fixed[step.action]


def _as_seen(address: str) -> tuple[str, ...]:
    """An address as ejabberd may know it: its listeners see IPv4 as ::ffff:192.0.2.1."""
    return (address, f"::ffff:{address}/128") if "." in address and ":" not in address else (address,)


def _owned(line: str) -> list[list[str]]:
    """For "root:ejabberd 0640 /path"; other steps' targets are no such line."""
    owner, _, rest = line.partition(" ")
    mode, _, path = rest.partition(" ")
    # A link is not followed: what it leads to may be anybody's.
    return [["chown", "--no-dereference", "--", owner, path], ["chmod", "--", mode, path]]
