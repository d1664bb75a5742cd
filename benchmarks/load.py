"""Load on a messaging server: TLS sessions, messages with timestamps, percentiles, loss, the server's memory and CPU.

Run: python benchmarks/load.py --host ADDRESS --domain DOMAIN --ca ca.crt --password-file FILE --server-pid PID
The accounts PREFIX0, PREFIX1 … must exist with the one password. Loopback and private addresses only.
"""

import argparse
import asyncio
import ipaddress
import json
import os
import random
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lanpi.pi.xmpp.client import CLIENT, Client, Login, TimedOut, XmppError, tls_context

LOGINS_AT_ONCE = 32
"""More do not make the server faster, only each login slower."""
SETTLE_SECONDS = 10.0
DRAIN_SECONDS = 15.0
"""How long after the last message one is waited for before it counts as lost."""
FILES_PER_SESSION = 1
FILES_KEPT = 64
_FOR_EVER = 86_400.0


class LoadError(Exception):
    """The load cannot be made; the text says why."""


@dataclass(frozen=True)
class Load:
    """What to do.

    Attributes:
        host, port, domain, ca, direct_tls, mechanism: as in lanpi.pi.xmpp.client.Login.
        password: of every account.
        prefix: accounts are called prefix + number, from 0 on.
        sessions: connected at the same time, an account each.
        logins_per_second, messages_per_second: rates that are aimed at.
        seconds: how long messages are sent.
        body_bytes: size of a message's text.
        idle_seconds: how long the sessions do nothing before memory is read.
        server_pid: of the server's process on this machine; None when it is not here.
    """

    host: str
    domain: str
    password: str = field(repr=False)
    ca: str | None = None
    port: int = 5222
    direct_tls: bool = False
    mechanism: str | None = None
    prefix: str = "load"
    sessions: int = 100
    logins_per_second: float = 40.0
    messages_per_second: float = 50.0
    seconds: float = 20.0
    body_bytes: int = 100
    idle_seconds: float = SETTLE_SECONDS
    server_pid: int | None = None


@dataclass(frozen=True)
class Server:
    """The server's process at one moment: memory (proportional, resident), CPU and bytes that it wrote so far.

    ``written_bytes`` is proc(5)'s write_bytes: what the process made the kernel send towards the disk.
    """

    pss_bytes: int
    rss_bytes: int
    peak_rss_bytes: int
    cpu_seconds: float
    written_bytes: int


@dataclass(frozen=True)
class Percentiles:
    """Of a list of durations, in milliseconds."""

    p50: float
    p90: float
    p99: float
    worst: float


@dataclass(frozen=True)
class Report:
    """What happened. ``server`` holds the moments before, connected, idle, sent; empty without a process to read."""

    sessions: int
    failed_logins: dict[str, int]
    login_seconds: float
    login_ms: Percentiles | None
    sent: int
    delivered: int
    lost: int
    duplicates: int
    lost_sessions: int
    send_seconds: float
    delivery_ms: Percentiles | None
    server: dict[str, Server]

    def per_session_bytes(self) -> float | None:
        """Memory (PSS) of the server per idle session."""
        if not self.server or not self.sessions:
            return None
        return (self.server["idle"].pss_bytes - self.server["before"].pss_bytes) / self.sessions

    def login_cpu_ms(self) -> float | None:
        """Milliseconds of the server's CPU per login."""
        if not self.server or not self.sessions:
            return None
        spent = self.server["connected"].cpu_seconds - self.server["before"].cpu_seconds
        return 1000 * spent / self.sessions

    def cpu_per_thousand(self) -> float | None:
        """Seconds of the server's CPU per thousand messages, without what the same sessions cost at rest."""
        if not self.server or not self.sent:
            return None
        return 1000 * (self.server["sent"].cpu_seconds - self.server["idle"].cpu_seconds) / self.sent

    def written_per_message(self) -> float | None:
        """Bytes that the server wrote per message; whatever reached the kernel, before it merges pages."""
        if not self.server or not self.sent:
            return None
        return (self.server["sent"].written_bytes - self.server["idle"].written_bytes) / self.sent


def percentiles(seconds: Sequence[float]) -> Percentiles | None:
    """Of durations in seconds (nearest rank); None when there are none."""
    if not seconds:
        return None
    ordered = sorted(seconds)

    def rank(share: float) -> float:
        return round(1000 * ordered[max(0, -(-int(share * len(ordered)) // 100) - 1)], 2)

    return Percentiles(rank(50), rank(90), rank(99), round(1000 * ordered[-1], 2))


def check_address(host: str) -> str:
    """The address behind a name, refused when it is not loopback or private: this is no tool against others.

    Raises:
        LoadError: a public address, or a name that does not resolve.
    """
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise LoadError(f"{host} does not resolve: {error}") from error
    for address in found:
        parsed = ipaddress.ip_address(address.partition("%")[0])
        if not (parsed.is_loopback or parsed.is_private):
            raise LoadError(f"{address} is a public address: load is made on loopback and private addresses only")
    return sorted(found)[0]


def read_server(pid: int) -> Server:
    """The process's memory and CPU now.

    Raises:
        LoadError: there is no such process, as when the server was killed.
    """
    try:
        rollup = dict(_kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")))
        status = dict(_kilobytes(Path(f"/proc/{pid}/status").read_text("utf-8")))
        moved = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text("ascii").splitlines())
        ticks = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError as error:
        raise LoadError(f"the server's process {pid} cannot be read: {error}") from error
    cpu = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    return Server(1024 * rollup["Pss"], 1024 * rollup["Rss"], 1024 * status["VmHWM"], cpu, int(moved["write_bytes"]))


def _kilobytes(text: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            yield name, int(value.split()[0])


class Session:
    """One logged-in account that takes in what comes."""

    def __init__(self, client: Client, arrivals: "Arrivals") -> None:
        self.client = client
        self._arrivals = arrivals
        self.task = asyncio.create_task(self._take_in())

    @property
    def alive(self) -> bool:
        """Whether the stream still stands."""
        return not self.task.done()

    async def _take_in(self) -> None:
        while True:
            try:
                stanza = await self.client.next(_FOR_EVER)
            except TimedOut:
                continue
            if stanza.tag == f"{CLIENT}message":
                self._arrivals.note(stanza.get("id", ""))
            elif stanza.tag == f"{CLIENT}iq" and stanza.get("type") == "get":
                # The server's ping; whoever does not answer is disconnected.
                await self.client.send(f"<iq type='result' id='{stanza.get('id', '')}'/>")

    async def close(self) -> None:
        """End the stream."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        try:
            await self.client.close()
        except (XmppError, TimeoutError):
            self.client.abort()


class Arrivals:
    """When messages were sent and when they came, by their id."""

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}
        self._came: Counter[str] = Counter()
        self.seconds: list[float] = []

    def sending(self, identity: str) -> None:
        """A message leaves now."""
        self._sent[identity] = time.monotonic()

    def note(self, identity: str) -> None:
        """A message came; others than ours (such as from an earlier run's archive) are not counted."""
        began = self._sent.get(identity)
        if began is None:
            return
        self._came[identity] += 1
        if self._came[identity] == 1:
            self.seconds.append(time.monotonic() - began)

    @property
    def sent(self) -> int:
        """How many were sent."""
        return len(self._sent)

    @property
    def delivered(self) -> int:
        """How many of them came."""
        return len(self._came)

    @property
    def duplicates(self) -> int:
        """How many came again."""
        return self._came.total() - len(self._came)


async def _log_in_all(load: Load, arrivals: Arrivals) -> tuple[list[Session], list[float], Counter[str]]:
    """Sessions, how long each login took, and the reasons of those that failed."""
    context = tls_context(load.ca)
    gate = asyncio.Semaphore(LOGINS_AT_ONCE)
    sessions: list[Session] = []
    durations: list[float] = []
    failed: Counter[str] = Counter()
    base = Login("", load.domain, load.password, load.host, load.port, load.ca, load.direct_tls, load.mechanism)

    async def one(number: int) -> None:
        client = Client(replace(base, user=f"{load.prefix}{number}"), context)
        began = time.monotonic()
        try:
            await client.connect()
            await client.available()
        except XmppError as error:
            client.abort()
            failed[f"{type(error).__name__}: {error}"] += 1
        else:
            durations.append(time.monotonic() - began)
            sessions.append(Session(client, arrivals))
        finally:
            gate.release()

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(load.sessions):
            await asyncio.sleep(began + number / load.logins_per_second - time.monotonic())
            await gate.acquire()
            group.create_task(one(number))
    return sessions, durations, failed


async def _send_all(load: Load, sessions: list[Session], arrivals: Arrivals) -> float:
    """Messages between random pairs at the wanted rate; seconds that it took."""
    chance = random.Random(4)  # the same pairs in every run
    run = f"{os.getpid():x}{time.monotonic_ns():x}"
    body = "x" * load.body_bytes
    wanted = int(load.seconds * load.messages_per_second)
    began = time.monotonic()
    for number in range(wanted):
        await asyncio.sleep(began + number / load.messages_per_second - time.monotonic())
        sender, receiver = chance.sample(sessions, 2)
        identity = f"{run}-{number}"
        arrivals.sending(identity)
        try:
            await sender.client.message(receiver.client.login.jid, body, identity)
        except XmppError:
            continue  # counted: sent, and lost
    ended = time.monotonic()
    while arrivals.delivered < arrivals.sent and time.monotonic() - ended < DRAIN_SECONDS:
        await asyncio.sleep(0.05)
    return ended - began


async def run_load(load: Load) -> Report:
    """Log in, rest, send; read the server at each turn.

    Raises:
        LoadError: the server's process is gone, or nobody could log in.
    """
    _open_files(load.sessions)
    arrivals = Arrivals()
    server: dict[str, Server] = {}

    def read(moment: str) -> None:
        if load.server_pid is not None:
            server[moment] = read_server(load.server_pid)

    read("before")
    began = time.monotonic()
    sessions, durations, failed = await _log_in_all(load, arrivals)
    login_seconds = time.monotonic() - began
    if len(sessions) < 2:
        raise LoadError(f"fewer than two logins succeeded: {dict(failed)}")
    try:
        read("connected")
        await asyncio.sleep(load.idle_seconds)
        read("idle")
        send_seconds = await _send_all(load, sessions, arrivals)
        read("sent")
        alive = sum(session.alive for session in sessions)
    finally:
        await asyncio.gather(*(session.close() for session in sessions))
    return Report(
        sessions=len(sessions),
        failed_logins=dict(failed),
        login_seconds=round(login_seconds, 2),
        login_ms=percentiles(durations),
        sent=arrivals.sent,
        delivered=arrivals.delivered,
        lost=arrivals.sent - arrivals.delivered,
        duplicates=arrivals.duplicates,
        lost_sessions=len(sessions) - alive,
        send_seconds=round(send_seconds, 2),
        delivery_ms=percentiles(arrivals.seconds),
        server=server,
    )


def _open_files(sessions: int) -> None:
    wanted = sessions * FILES_PER_SESSION + FILES_KEPT
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise LoadError(f"{sessions} sessions need {wanted} open files, and {hard} are allowed (ulimit -Hn)")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def as_json(report: Report) -> dict[str, object]:
    """The report and what follows from it, for programs."""
    return asdict(report) | {
        "per_session_bytes": report.per_session_bytes(),
        "login_cpu_ms": report.login_cpu_ms(),
        "cpu_seconds_per_thousand_messages": report.cpu_per_thousand(),
        "written_bytes_per_message": report.written_per_message(),
    }


def table(report: Report) -> str:
    """The report for people."""

    def spread(found: Percentiles | None) -> str:
        return "-" if found is None else f"p50 {found.p50}  p90 {found.p90}  p99 {found.p99}  worst {found.worst} ms"

    lines = [
        f"sessions   {report.sessions} in {report.login_seconds} s, {sum(report.failed_logins.values())} failed, "
        f"{report.lost_sessions} lost later",
        f"login      {spread(report.login_ms)}",
        f"messages   {report.sent} sent, {report.lost} lost, {report.duplicates} twice",
        f"delivery   {spread(report.delivery_ms)}",
    ]
    lines += [f"failed     {count} x {reason}" for reason, count in report.failed_logins.items()]
    for moment, seen in report.server.items():
        lines.append(f"{moment:<10} PSS {seen.pss_bytes / 2**20:.1f} MB, CPU {seen.cpu_seconds:.2f} s")
    if report.server:
        lines.append(
            f"server     {(report.per_session_bytes() or 0) / 1000:.1f} KB a session, "
            f"{report.login_cpu_ms() or 0:.1f} ms CPU a login, "
            f"{report.cpu_per_thousand() or 0:.2f} s CPU per thousand messages, "
            f"{(report.written_per_message() or 0) / 1000:.1f} KB written a message"
        )
    return "\n".join(lines)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except (LoadError, XmppError) as error:
        print(f"load: {error}", file=sys.stderr)
        raise SystemExit(1) from error


def main() -> int:
    """Exit status 1 when messages were lost, came twice, or sessions failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", required=True)
    parser.add_argument("--domain", required=True)
    parser.add_argument("--ca")
    parser.add_argument("--password-file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=5222)
    parser.add_argument("--direct-tls", action="store_true")
    parser.add_argument("--mechanism", help="such as PLAIN or SCRAM-SHA-1; the best that both know by default")
    parser.add_argument("--prefix", default="load")
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--logins-per-second", type=float, default=40.0)
    parser.add_argument("--messages-per-second", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--body-bytes", type=int, default=100)
    parser.add_argument("--idle-seconds", type=float, default=SETTLE_SECONDS)
    parser.add_argument("--server-pid", type=int)
    parser.add_argument("--json", action="store_true")
    options = vars(parser.parse_args())
    as_data = options.pop("json")
    with _reported():
        options["host"] = check_address(options["host"])
        options["password"] = options.pop("password_file").read_text("utf-8").strip()
        report = asyncio.run(run_load(Load(**options)))
    print(json.dumps(as_json(report), indent=2) if as_data else table(report))
    return 0 if not (report.lost or report.duplicates or report.failed_logins or report.lost_sessions) else 1


if __name__ == "__main__":
    sys.exit(main())
