"""`lanpi migrate`: a living server to another Pi - all while it runs, then what changed while it stands still."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanpi.backup.carry import carry
from lanpi.backup.remote import SENT, Program, send_program
from lanpi.backup.restore import as_restored, looked_for, same_domain
from lanpi.errors import LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.hosts.base import Host
from lanpi.provision.install import Options, Reporter, install
from lanpi.provision.lock import lock
from lanpi.provision.proof import Proof, prove
from lanpi.server.admin import Server

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Moved:
    """What a move came to.

    Attributes:
        summary: domain, people, messages, uploads, … (lanpi_backup/content.py).
        downtime_seconds: from before the old server stopped until a message had passed on the new one.
        first_bytes: sent while the old server ran. last_bytes: sent while it stood still.
        proof: the message exchange on the new Pi.
        looked_for: the host name that phones look for by mDNS where the new Pi has another one, else "".
    """

    summary: dict[str, Any]
    downtime_seconds: float
    first_bytes: int
    last_bytes: int
    proof: Proof
    looked_for: str


def migrate(old: Host, new: Host, log: Path | None, report: Reporter) -> Moved:
    """Move the server of one Pi to another, and leave the old one stopped but whole.

    Until the old server stops, nothing about it changes. If anything fails after that, it is started again.

    Raises:
        LanpiError: BAD_INPUT (no server on the old Pi, another domain on the new one), BLOCKED (no space, another
            lanpi at work), FAILED (what did not work).
    """
    require_different(old, new)
    facts = read_facts(new, root=True)
    with lock(old, report.note):
        giver = send_program(old, report)
        with lock(new, report.note):
            taker = send_program(new, report)
            first = _round(old, giver, new, taker, report, facts=facts)
            taker.run("restore-settings")
        install(new, as_restored, Options(log=log), report)
        began = time.monotonic()
        giver.run("give-stop")
        try:
            with lock(new, report.note):
                last = _round(old, giver, new, taker, report, "--final")
                summary = taker.run("restore-swap")
            report.begin("Sending a message between two accounts")
            proof = prove(new, Server(new, summary["domain"]))
            report.end(f"delivered in {proof.delivery_seconds * 1000:.0f} ms, found in the archive")
            downtime = time.monotonic() - began
        except BaseException:
            # Also when it is interrupted: people must not be left without either server.
            giver.run("give-start")
            new.run(["systemctl", "disable", "--now", "ejabberd.service"], root=True, check=False)
            raise
        taker.run("restore-finish")
        giver.run("given")
    return Moved(summary, downtime, first, last, proof, looked_for(facts.hostname, summary["domain"]))


def _round(
    old: Host, giver: Program, new: Host, taker: Program, report: Reporter, *arguments: str, facts: Facts | None = None
) -> int:
    given = giver.run("give", *arguments)
    if facts:
        same_domain(new, facts, given["domain"])
    place = f"{SENT}/content.json"
    new.put(place, old.get(given["content"], root=True), root=True)
    wanted = taker.run("take", place)
    report.begin(f"Carrying {wanted['to_come'] / MEGABYTE:.1f} MB over")
    sent = carry(old, given["folder"], new, "/var/lib/lanpi/restore/new", [tuple(entry) for entry in wanted["wanted"]])
    report.end()
    taker.run("taken")
    return sent


def require_different(old: Host, new: Host) -> None:
    """Refuse to move a Pi onto itself.

    Raises:
        LanpiError: both are the same machine.
    """
    first, second = (host.run(["cat", "/etc/machine-id"]).text.strip() for host in (old, new))
    if first and first == second:
        raise LanpiError("both are the same Pi", host=new.name, next_step="Name the new Pi second")
