"""One lanpi at a time changes a Pi: a lease on the Pi, renewed while work goes on.

The lease is a file under /run (a power cut frees it) that names its holder. A holder that has not
renewed it for LEASE_SECONDS is dead - its laptop slept, its network went - and the next one takes over.
Ages are counted on the Pi's monotonic clock, since the wall clock of a Pi jumps.

A holder that was only away for a while and comes back learns from its next renewal that it has been taken over, and
stops before its next command: see :meth:`Lease.check`.
"""

import getpass
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
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
        holder, since: who had it before this call, and from when; empty when nobody had.
        silent_seconds: time since that holder's last sign of life.
        taken_from: the dead holder it was taken over from, "" if there was none.
        boot: the Pi's boot (random(4), boot_id): after another one the file is gone, whoever held it.
    """

    mine: bool
    holder: str
    since: str
    silent_seconds: float
    taken_from: str
    boot: str


class TakenOver(LanpiError):
    """Another lanpi works on the Pi in our place: whatever is under way ends, and nothing is undone either."""


class Lease:
    """The Pi's lock in our hands, between :meth:`take` and :meth:`give_back`.

    Args:
        host: the Pi.
        notify: told in a line when there is somebody to wait for or to take over from.
    """

    def __init__(self, host: Host, notify: Callable[[str], None]) -> None:
        self._host = host
        self._notify = notify
        self._token = secrets.token_hex(8)
        self._boot = ""
        self._renewed = 0.0
        self._lost: TakenOver | None = None
        self._asking = threading.Lock()
        self._over = threading.Event()
        self._renewer: threading.Thread | None = None

    def take(self) -> None:
        """Take it, and renew it from now on. A holder that is silent already is waited for, then taken over.

        Raises:
            LanpiError: BLOCKED when somebody alive holds it; says who and since when.
        """
        answer = self._ask("acquire")
        if not answer.mine:
            self._notify(
                f"{answer.holder} has held the lock since {answer.since}; waiting to see whether it is still running"
            )
        # A live holder renews within RENEW_SECONDS; a silent one is dead, and lanpi waits until its lease ends.
        while not answer.mine:
            silent_before = answer.silent_seconds
            time.sleep(min(RENEW_SECONDS + 2, max(0.5, LEASE_SECONDS - silent_before)))
            answer = self._ask("acquire")
            if not answer.mine and answer.silent_seconds < silent_before:
                raise LanpiError(
                    f"another lanpi is running: {answer.holder}, since {answer.since}",
                    host=self._host.name,
                    next_step="Wait for it to finish, then run the same command again",
                    exit_code=ExitCode.BLOCKED,
                )
        if answer.taken_from:
            self._notify(f"took over from {answer.taken_from}, which stopped before it finished")
        self._boot, self._renewed = answer.boot, _now()
        self._renewer = threading.Thread(target=self._keep, daemon=True)
        self._renewer.start()

    def check(self) -> None:
        """The safe point before each command: goes on only where the lease is still ours.

        Raises:
            TakenOver: it is not; says who has it.
            LanpiError: UNREACHABLE when that cannot be found out.
        """
        if self._lost is None and _now() - self._renewed > LEASE_SECONDS:
            self.renew()  # this machine slept, or the connection was away: somebody may have taken over
        if self._lost:
            raise self._lost

    def renew(self) -> None:
        """Say that we are alive; after another boot of the Pi, take the lease again.

        Raises:
            LanpiError: UNREACHABLE; not TakenOver, that is what :meth:`check` says.
        """
        answer = self._ask("renew")
        if not answer.mine and not answer.holder and answer.boot != self._boot:
            answer = self._ask("acquire")
        if answer.mine:
            self._boot, self._renewed = answer.boot, _now()
            return
        who = f"{answer.holder} took over at {answer.since}" if answer.holder else "another lanpi has changed this Pi"
        self._lost = TakenOver(
            f"{who}; this one had been silent for more than {LEASE_SECONDS:.0f} s",
            host=self._host.name,
            next_step="Wait for it to finish, then run the same command again",
            exit_code=ExitCode.BLOCKED,
        )

    def give_back(self) -> None:
        """Free it for the next one."""
        self._over.set()
        if self._renewer:
            self._renewer.join(timeout=RENEW_SECONDS)
        if self._lost:
            return
        try:
            self._ask("release")
        except LanpiError as error:
            # The work's own error matters more; the lease runs out by itself.
            self._notify(f"the lock could not be released ({error.what}); it expires in {LEASE_SECONDS:.0f} s")

    def _keep(self) -> None:
        while not self._over.wait(RENEW_SECONDS) and self._lost is None:
            try:
                self.renew()
            except LanpiError:
                # The connection is lost or the Pi reboots: the work in the other thread finds out and says so,
                # or is back in a moment, and then so are we.
                continue

    def _ask(self, verb: str) -> Answer:
        holder = f"{getpass.getuser()}@{socket.gethostname()}"
        arguments = [verb, self._token, holder, str(LEASE_SECONDS), paths.PI_LOCK]
        with self._asking:
            done = run_program(self._host, "lanpi.pi.lease", arguments, root=True)
        if done.exit_status != 0:
            raise broken_reading(self._host, done, f"exit status {done.exit_status}")
        said = json.loads(done.stdout)
        return Answer(said["mine"], said["holder"], said["since"], said["silent"], said["taken_from"], said["boot"])


def _now() -> float:
    """Seconds of a clock that goes on while this machine sleeps, where there is one (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.time()
