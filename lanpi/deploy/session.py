"""A Pi while something is done with it: its connection, which comes back; root; the lease; its reboots.

Flows get a session, not a host with a lock beside it, so that what one of them learnt to survive all of them do.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from lanpi.deploy.lock import Lease
from lanpi.errors import ExitCode, LanpiError
from lanpi.hints import HERE, Place
from lanpi.hosts.base import Completed, Host
from lanpi.progress import Progress

REBOOT_SECONDS = 300.0
"""From the order to reboot until the Pi answers again. A Pi 3 with a slow card that checks its file system takes two
minutes; longer than this is a failure."""
OWN_REBOOT_SECONDS = 5
"""Time to say how it went and give the lease back, where lanpi ends with the machine."""
BOOTED_SECONDS = 120.0
"""From the first answer until systemd has started everything."""
RECONNECT_SECONDS = 90.0
"""How long a step that may be repeated waits for a lost Pi: a router's restart, or the Pi's own boot."""
REPEATS = 3
"""A connection that is lost this often in one step is no accident."""
RETRY_SECONDS = 2.0
BOOT_ID = "/proc/sys/kernel/random/boot_id"
"""random(4): another one with each boot."""
_ResultT = TypeVar("_ResultT")


class Session:
    """A :class:`lanpi.hosts.base.Host`, and more.

    Args:
        host: connected.
        place: what a command that lanpi prints needs to reach this Pi again.
    """

    def __init__(self, host: Host, place: Place = HERE) -> None:
        self._host = host
        self.place = place
        self._lease: Lease | None = None

    @property
    def name(self) -> str:
        """See :class:`lanpi.hosts.base.Host`."""
        return self._host.name

    @property
    def address(self) -> str:
        """See :class:`lanpi.hosts.base.Host`."""
        return self._host.address

    @property
    def direct(self) -> bool:
        """See :class:`lanpi.hosts.base.Host`."""
        return self._host.direct

    @property
    def is_this_machine(self) -> bool:
        """See :class:`lanpi.hosts.base.Host`."""
        return self._host.is_this_machine

    @property
    def can_be_root(self) -> bool:
        """See :class:`lanpi.hosts.base.Host`."""
        return self._host.can_be_root

    def require_root(self) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self._host.require_root()

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        root: bool = False,
        check: bool = True,
        timeout_seconds: float | None = None,
    ) -> Completed:
        """See :class:`lanpi.hosts.base.Host`; while the lease is held, each of these four is a safe point.

        Raises:
            TakenOver: another lanpi has taken the lease over.
        """
        self._check()
        return self._host.run(argv, stdin=stdin, root=root, check=check, timeout_seconds=timeout_seconds)

    def stream(
        self,
        argv: Sequence[str],
        on_output: Callable[[bytes], None],
        *,
        stdin: bytes = b"",
        root: bool = False,
    ) -> int:
        """See :meth:`run`."""
        self._check()
        return self._host.stream(argv, on_output, stdin=stdin, root=root)

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """See :meth:`run`."""
        self._check()
        self._host.put(path, data, mode=mode, root=root)

    def get(self, path: str, *, root: bool = False) -> bytes:
        """See :meth:`run`."""
        self._check()
        return self._host.get(path, root=root)

    def disconnect(self) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self._host.disconnect()

    def close(self) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self._host.close()

    @contextmanager
    def lease(self, report: Progress) -> Iterator[None]:
        """Nobody else changes this Pi while the block runs. A block inside another one holds the same lease.

        Raises:
            LanpiError: BLOCKED when another lanpi is at work, REFUSED without root.
        """
        if self._lease is not None:
            yield
            return
        lease = Lease(self._host, report.note)
        lease.take()
        self._lease = lease
        try:
            yield
        finally:
            self._lease = None
            lease.give_back()

    def persist(self, step: Callable[[], _ResultT], report: Progress) -> _ResultT:
        """Take a step that is safe to repeat, and take it again when the connection is lost in it.

        Args:
            step: changes nothing, or nothing more when it is taken twice.
            report: is told when the connection is lost.

        Raises:
            LanpiError: what the step raises; UNREACHABLE when the Pi stays away, or is lost again and again.
        """
        for _ in range(REPEATS - 1):
            try:
                return step()
            except LanpiError as error:
                if error.exit_code is not ExitCode.UNREACHABLE:
                    raise
                report.note(f"{error.what}; connecting again")
                self._return(RECONNECT_SECONDS)
        return step()

    def reboot(self, report: Progress) -> None:
        """Reboot the Pi and wait until all is started again, as a step that is told.

        The machine that lanpi itself runs on is only told to, in OWN_REBOOT_SECONDS: it is to be the last thing done.

        Raises:
            LanpiError: UNREACHABLE when it does not come back in REBOOT_SECONDS.
        """
        order = ["systemd-run", "--quiet", "systemctl", "reboot"]
        if self.is_this_machine:
            self.run([*order[:2], f"--on-active={OWN_REBOOT_SECONDS}", *order[2:]], root=True)
            report.note(f"this machine reboots in {OWN_REBOOT_SECONDS} s")
            return
        report.begin("Rebooting")
        before = self.run(["cat", BOOT_ID]).text
        # In a moment, so that this command can still say that it worked.
        self.run([*order[:2], "--on-active=1", *order[2:]], root=True)
        deadline = time.monotonic() + REBOOT_SECONDS
        self._return(REBOOT_SECONDS, until=lambda: self._host.run(["cat", BOOT_ID]).text != before, afresh=True)
        # It answers early in its boot. 0: running, 1: degraded, which is for others to judge (systemctl(1)).
        left = max(BOOTED_SECONDS, deadline - time.monotonic())
        self.run(["systemctl", "is-system-running", "--wait"], check=False, timeout_seconds=left)
        report.end()

    def _return(self, seconds: float, until: Callable[[], bool] = lambda: True, *, afresh: bool = False) -> None:
        """Wait until the Pi answers, and make sure of the lease.

        Args:
            seconds: how long.
            until: also true by then.
            afresh: look each time over a new connection: the old one may hang without an end.
        """
        deadline = time.monotonic() + seconds
        while True:
            last: LanpiError | None = None
            try:
                if afresh:
                    self._host.disconnect()
                self._host.run(["true"], timeout_seconds=RETRY_SECONDS * 5)
                if until():
                    break
            except LanpiError as error:
                last = error  # also REFUSED: until it has booted, only root may log in (pam_nologin(8))
            if time.monotonic() > deadline:
                raise LanpiError(
                    f"it did not come back within {seconds:.0f} s ({last.what if last else 'it still runs'})",
                    host=self.name,
                    next_step="Look at its power and network, then run the same command again: it continues where it "
                    "stopped",
                    exit_code=ExitCode.UNREACHABLE,
                ) from last
            time.sleep(RETRY_SECONDS)
        if self._lease:
            self._lease.renew()

    def _check(self) -> None:
        if self._lease:
            self._lease.check()
