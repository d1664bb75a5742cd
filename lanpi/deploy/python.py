"""Debian's whole python3 where only a part of it is (python3-minimal): Ansible's modules do not start without."""

import time
from collections.abc import Sequence

from lanpi.deploy.runner import Event
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.hosts.base import Completed, Host
from lanpi.progress import Progress

PACKAGE = "python3"
POLL_SECONDS = 2.0
# As lanpi_packages has them: nothing is asked, and a configuration file that is there stays.
ENVIRONMENT = ("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
CONFIGURE = ("dpkg", "--configure", "-a", "--force-confdef", "--force-confold")
UPDATE = ("update", "--error-on=any")
INSTALL = ("install", "-y", "--no-install-recommends", PACKAGE)


def install_python(host: Host, facts: Facts | None, report: Progress, *, check: bool, lock_seconds: float) -> Event:
    """Install python3 through the shell, as a step that is told. It stays when lanpi is uninstalled.

    Args:
        host: the Pi.
        facts: of it; None where so much of Python is missing that they cannot be read.
        report: is told the step.
        check: only say that it would be done.
        lock_seconds: how long to wait for whoever holds the package system's locks.

    Returns:
        What was done, as an event of a playbook run would tell it.

    Raises:
        LanpiError: BLOCKED when the locks stay held, FAILED when apt could not.
    """
    report.begin(f"Installing {PACKAGE}")
    diff = {"before_header": "packages", "after_header": "packages", "before": "", "after": f"{PACKAGE}\n"}
    event = Event("done", f"Install {PACKAGE}", changed=True, result={"added": [PACKAGE], "diff": [diff]})
    if check:
        report.end("lanpi would do this first")
        return event
    if facts is not None:
        _wait_for_lock(host, facts, lock_seconds)
    if facts is None or facts.packages.half_configured or facts.packages.interrupted:
        _sure(host, host.run([*ENVIRONMENT, *CONFIGURE], root=True, check=False))
    for arguments in (UPDATE, INSTALL):
        _apt(host, arguments, lock_seconds)
    report.end("only python3-minimal was installed")
    return event


def _wait_for_lock(host: Host, facts: Facts, seconds: float) -> None:
    holder = facts.packages.lock_holder
    deadline = time.monotonic() + seconds
    while holder:
        if time.monotonic() >= deadline:
            raise LanpiError(
                f"the package system is still locked by {holder} after {seconds:.0f} s",
                host=host.name,
                next_step="Let it finish, then run the same command again",
                exit_code=ExitCode.BLOCKED,
            )
        time.sleep(POLL_SECONDS)
        holder = read_facts(host, root=True).packages.lock_holder


def _apt(host: Host, arguments: Sequence[str], lock_seconds: float) -> None:
    # apt's own wait covers who slips in between.
    options = ["-q", "-o", f"DPkg::Lock::Timeout={lock_seconds:.0f}", "-o", "Acquire::Retries=3"]
    _sure(host, host.run([*ENVIRONMENT, "apt-get", *options, *arguments], root=True, check=False))


def _sure(host: Host, done: Completed) -> None:
    if done.exit_status == 0:
        return
    said = [line for line in f"{done.error_text}\n{done.text}".splitlines() if line.strip()]
    errors = [line for line in said if line.startswith(("E:", "dpkg: error"))] or said[-3:]
    raise LanpiError(
        f"{PACKAGE} could not be installed: {'; '.join(errors[:3])}",
        host=host.name,
        next_step="Look at the Pi's network and package sources (sudo apt-get update), then run the same command again",
        exit_code=ExitCode.FAILED,
    )
