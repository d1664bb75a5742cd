"""What backups cost, as ratios in one run: against bare restic, a fresh install, and a server that makes none.

Run as root: python benchmarks/backup.py [--rounds N]. Makes three virtual Pis and takes them down again.
"""

import argparse
import asyncio
import contextlib
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lanpi import virtual
from lanpi.hosts import ConnectOptions, open_host, parse_target
from lanpi.pi.xmpp.client import Client, Login
from lanpi.virtual import VirtualPi, container

MODEL = "4-2g"
LIMIT = 1.5
MESSAGES, FILES, FILE_BYTES = 5000, 50, 1_000_000
PINGS = 400
PING_PAUSE_SECONDS = 0.01
BATCH = 50
PING = "<ping xmlns='urn:xmpp:ping'/>"
UPLOADS = "/var/lib/ejabberd/upload/bench"
BARE = (
    "restic -q -r /root/bare --password-file /etc/lanpi/backup.key backup --host bench "
    "/var/lib/ejabberd/ejabberd.db /var/lib/ejabberd/upload /etc/lanpi"
)


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def lanpi(*arguments: str) -> None:
    """The command as a user runs it."""
    done = subprocess.run([sys.executable, "-m", "lanpi", *arguments], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"lanpi {' '.join(arguments)}: {done.stderr}")


def shell(pi: VirtualPi, line: str) -> None:
    """A shell line as root on the Pi."""
    container.inside(pi, ["sh", "-c", line], timeout_seconds=900)


def fill(pi: VirtualPi, logins: tuple[Login, Login]) -> None:
    """Messages through the server; files where it keeps those that people send."""

    async def write() -> None:
        async with Client(logins[0]) as client:
            await client.available()
            for begun in range(0, MESSAGES, BATCH):
                for number in range(begun, begun + BATCH):
                    await client.message(logins[1].jid, f"message {number}", secrets.token_hex(8))
                await client.ask(PING)

    asyncio.run(write())
    make = f"for n in $(seq {FILES}); do head -c {FILE_BYTES} /dev/urandom > {UPLOADS}/$n; done"
    shell(pi, f"mkdir -p {UPLOADS} && {make} && chown -R ejabberd: {UPLOADS}")


def nothing_new(pi: VirtualPi, rounds: int) -> tuple[float, float]:
    """Seconds of a backup and of bare restic when nothing changed since their last; medians of interleaved rounds."""
    shell(pi, "restic -q -r /root/bare --password-file /etc/lanpi/backup.key init")
    # Twice: a file that is a few seconds old may still be written to, and is read again.
    for _ in range(2):
        shell(pi, BARE)
        shell(pi, "/usr/lib/lanpi/backup run")
    pairs = [
        (seconds(lambda: shell(pi, "/usr/lib/lanpi/backup run")), seconds(lambda: shell(pi, BARE)))
        for _ in range(rounds)
    ]
    return statistics.median(ours for ours, _ in pairs), statistics.median(bare for _, bare in pairs)


def latencies(logins: tuple[Login, Login]) -> list[float]:
    """Seconds from sending to receiving, of many messages one by one."""

    async def exchange() -> list[float]:
        found = []
        async with Client(logins[0]) as sender, Client(logins[1]) as receiver:
            await receiver.available()
            await receiver.ask(PING)
            first = secrets.token_hex(8)
            await sender.message(receiver.login.jid, first, secrets.token_hex(8))
            await receiver.receive(first, timeout_seconds=60)  # after all that waited for the receiver
            for _ in range(PINGS):
                body = secrets.token_hex(8)
                began = time.monotonic()
                await sender.message(receiver.login.jid, body, secrets.token_hex(8))
                await receiver.receive(body)
                found.append(time.monotonic() - began)
                await asyncio.sleep(PING_PAUSE_SECONDS)
        return found

    with own_processor():
        return asyncio.run(exchange())


@contextlib.contextmanager
def own_processor() -> Iterator[None]:
    """Be like a phone, which does not wait for a processor of this machine until a backup's turn is over.

    Real-time priority (sched(7)), which threads and children, such as the backup, do not inherit.
    """
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def percentile_99(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[-1]


@contextlib.contextmanager
def backups_all_the_time(pi: VirtualPi) -> Iterator[None]:
    """Backups one after the other, by the unit that the timer starts."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            # It may start five times a day only, so that a failure does not go round and round.
            shell(pi, "systemctl reset-failed lanpi-backup.service; systemctl start lanpi-backup.service")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> int:
    """Print the table; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    names = [f"benchbk{letter}" for letter in "abc"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(*(virtual.up(name, model=MODEL) for name in names), Path(folder), options.rounds)
    finally:
        for name in names:
            virtual.down(name)
    for what, ours, floor in rows:
        print(f"{what:50} {ours:8.3f} s {floor:8.3f} s  {ours / floor:5.2f}  (target {LIMIT})")
    return int(any(ours / floor > LIMIT for _, ours, floor in rows))


def measure(
    pi: VirtualPi, fresh: VirtualPi, plain: VirtualPi, folder: Path, rounds: int
) -> list[tuple[str, float, float]]:
    """What, ours, floor; seconds."""
    target = f"virtual:{pi.name}"
    lanpi("install", target)
    lanpi("ca", target, "--output", str(folder / "ca.crt"))
    for name in ("anna", "ben"):
        lanpi("user", "add", name, target, "--generate", "--password-file", str(folder / name))
    ca = str(folder / "ca.crt")
    anna, ben = (
        Login(name, f"{pi.name}.local", (folder / name).read_text().strip(), host=pi.address, ca=ca)
        for name in ("anna", "ben")
    )
    fill(pi, (anna, ben))
    rows = [("backup with nothing new / bare restic", *nothing_new(pi, rounds))]
    quiet, busy = [], []
    for _ in range(rounds):
        quiet += latencies((anna, ben))
        with backups_all_the_time(pi):
            busy += latencies((anna, ben))
    rows.append(("p99 of messages during backups / without", percentile_99(busy), percentile_99(quiet)))
    lanpi("backup", "key", target, "--output", str(folder / "sheet"))
    found = re.search(r"Key:\n\n\s+(\S+)", (folder / "sheet").read_text())
    assert found
    (folder / "key").write_text(found[1])
    # The repository goes along, as a USB disk would.
    with (
        open_host(parse_target(target), ConnectOptions()) as source,
        open_host(parse_target(f"virtual:{fresh.name}"), ConnectOptions()) as goal,
    ):
        packed = source.run(["tar", "-C", "/var/backups", "-cf", "-", "lanpi"], root=True).stdout
        goal.run(["tar", "-C", "/srv", "-xf", "-"], stdin=packed, root=True)
    arguments = ("--from", "/srv/lanpi", "--key-file", str(folder / "key"), f"virtual:{fresh.name}", "--yes")
    install = seconds(lambda: lanpi("install", f"virtual:{plain.name}"))
    restore = seconds(lambda: lanpi("restore", *arguments))
    rows.append(("restore onto a fresh Pi / fresh install", restore, install))
    return rows


if __name__ == "__main__":
    sys.exit(main())
