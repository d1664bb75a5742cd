"""`lanpi migrate`: a server moves to another Pi - everything while it runs, then the changes while it is stopped."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanpi.backup.handover import Side, carry_over, forget
from lanpi.backup.remote import send_program
from lanpi.deploy.check import check_now
from lanpi.deploy.converge import RunOptions
from lanpi.deploy.proof import Proof, proven
from lanpi.deploy.session import Session
from lanpi.errors import LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.flows.groundwork import Reporter, install_without_server
from lanpi.flows.moved import require_here
from lanpi.flows.restore import as_restored, same_domain
from lanpi.hosts.base import Host
from lanpi.im.admin import Server
from lanpi.im.moved import forget_moved

STOP = ("systemctl", "disable", "--now", "ejabberd.service")


@dataclass(frozen=True)
class Moved:
    """The result of a move.

    Attributes:
        summary: domain, people, messages, uploads, … (lanpi/pi/backup/content.py).
        downtime_seconds: from before the old server stopped until a message had passed on the new one.
        first_bytes: sent while the old server ran. last_bytes: sent while it was stopped.
        proof: the message exchange on the new Pi.
        told: the domain if mDNS announces it next to the new Pi's own name, else "".
    """

    summary: dict[str, Any]
    downtime_seconds: float
    first_bytes: int
    last_bytes: int
    proof: Proof
    told: str


def migrate(old: Session, new: Session, log: Path | None, report: Reporter) -> Moved:
    """Move the server of one Pi to another, and leave the old one stopped but whole.

    Until the old server stops, nothing about it changes. If anything fails after that, it is started again.

    Raises:
        LanpiError: BAD_INPUT (no server on the old Pi, another domain on the new one), BLOCKED (no space, another
            lanpi at work), FAILED (what did not work).
    """
    require_different(old, new)
    require_here(old, old.persist(lambda: read_facts(old, root=True), report))
    facts = new.persist(lambda: read_facts(new, root=True), report)
    with old.lease(report), new.lease(report):
        giver = Side(old, send_program(old, report))
        try:
            return _move(giver, new, facts, log, report)
        finally:
            forget(giver, report)


def _move(giver: Side, new: Session, facts: Facts, log: Path | None, report: Reporter) -> Moved:
    taker = Side(new, send_program(new, report))
    given = giver.program.run("give")
    same_domain(new, facts, given["domain"])
    first = carry_over(giver, given, taker, report)
    taker.program.run("restore-settings")
    install_without_server(new, as_restored, RunOptions(log=log), report)
    began = time.monotonic()
    with _stopped(giver, new, report):
        last = carry_over(giver, giver.program.run("give", "--final"), taker, report)
        summary = taker.program.run("restore-swap")
        proof = proven(new, Server(new, summary["domain"]), report)
        downtime = time.monotonic() - began
    done = taker.program.run("restore-finish")
    forget_moved(new)
    check_now(new, report)
    giver.program.run("given")
    return Moved(summary, downtime, first, last, proof, done["told"])


@contextmanager
def _stopped(giver: Side, new: Host, report: Reporter) -> Iterator[None]:
    """Keep the old server stopped; if the block does not complete, start it again and stop the new one."""
    try:
        giver.program.run("give-stop", "--to", new.name)
        yield
    except BaseException:
        # Also when it is interrupted: people must not be left without either server, nor with both.
        for what, do in (
            (
                "the old server could not be started again, which `lanpi install --force` does",
                lambda: giver.program.run("give-start"),
            ),
            ("the new server could not be stopped", lambda: new.run(STOP, root=True)),
        ):
            try:
                do()
            except LanpiError as error:  # report the failure that led here
                report.note(f"{what}: {error}")
        raise


def require_different(old: Host, new: Host) -> None:
    """Refuse to move a Pi onto itself.

    Raises:
        LanpiError: both are the same machine.
    """
    first, second = (host.run(["cat", "/etc/machine-id"]).text.strip() for host in (old, new))
    if first and first == second:
        raise LanpiError("the old and the new Pi are the same", host=new.name, next_step="Name the new Pi second")
