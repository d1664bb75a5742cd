"""One lanpi at a time changes a Pi: a lease on the Pi, renewed while work goes on.

The lease is a file under /run (a power cut frees it) that names its holder. A holder that has not
renewed it for LEASE_SECONDS is dead - its laptop slept, its network went - and the next one takes over.
Ages are counted on the Pi's monotonic clock, since the wall clock of a Pi jumps.
"""

import getpass
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lanpi import paths
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

LEASE_SECONDS = 30.0
"""Without renewal for this long, a holder counts as dead."""
RENEW_SECONDS = 8.0
"""Three renewals may get lost before the lease ends."""


@dataclass(frozen=True)
class Answer:
    """What the Pi said about the lease.

    Attributes:
        mine: it is ours now.
        holder, since: who had it before this call, and from when.
        silent_seconds: time since that holder's last sign of life.
        taken_from: the dead holder it was taken over from, "" if there was none.
    """

    mine: bool
    holder: str
    since: str
    silent_seconds: float
    taken_from: str


def _ask(host: Host, verb: str, token: str) -> Answer:
    holder = f"{getpass.getuser()}@{socket.gethostname()}"
    arguments = [verb, token, holder, str(LEASE_SECONDS), paths.PI_LOCK]
    done = run_program(host, "lanpi.pi.lease", arguments, root=True)
    if done.exit_status != 0:
        raise broken_reading(host, done, f"exit status {done.exit_status}")
    said = json.loads(done.stdout)
    return Answer(said["mine"], said["holder"], said["since"], said["silent"], said["taken_from"])


@contextmanager
def lock(host: Host, notify: Callable[[str], None]) -> Iterator[None]:
    """Hold the Pi's lock while the block runs.

    A holder that is silent already is waited for until it counts as dead, then taken over.

    Args:
        host: the Pi.
        notify: gets a line of text when there is somebody to wait for or to take over from.

    Raises:
        LanpiError: BLOCKED when a live holder has it; says who and since when.
    """
    token = secrets.token_hex(8)
    answer = _ask(host, "acquire", token)
    if not answer.mine:
        notify(f"{answer.holder} has held the lock since {answer.since}; waiting to see whether it is still running")
    # A live holder renews within RENEW_SECONDS; a silent one is dead, and lanpi waits until its lease ends.
    while not answer.mine:
        silent_before = answer.silent_seconds
        time.sleep(min(RENEW_SECONDS + 2, max(0.5, LEASE_SECONDS - silent_before)))
        answer = _ask(host, "acquire", token)
        if not answer.mine and answer.silent_seconds < silent_before:
            raise LanpiError(
                f"another lanpi is running: {answer.holder}, since {answer.since}",
                host=host.name,
                next_step="Wait for it to finish, then run the same command again",
                exit_code=ExitCode.BLOCKED,
            )
    if answer.taken_from:
        notify(f"took over from {answer.taken_from}, which stopped before it finished")
    over = threading.Event()
    renewer = threading.Thread(target=_renew, args=(host, token, over), daemon=True)
    renewer.start()
    try:
        yield
    finally:
        over.set()
        renewer.join(timeout=RENEW_SECONDS)
        try:
            _ask(host, "release", token)
        except LanpiError as error:
            # The work's own error matters more; the lease runs out by itself.
            notify(f"the lock could not be released ({error.what}); it expires in {LEASE_SECONDS:.0f} s")


def _renew(host: Host, token: str, over: threading.Event) -> None:
    while not over.wait(RENEW_SECONDS):
        try:
            _ask(host, "renew", token)
        except LanpiError:
            return  # the connection is lost: the work in the other thread finds out and says so
