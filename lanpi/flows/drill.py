"""`lanpi backup drill --on virtual`: the newest snapshot on a virtual Pi of this machine, proven there."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanpi import virtual
from lanpi.backup.handover import Side, carry_over, forget
from lanpi.backup.remote import send_program
from lanpi.config.load import effective, parse
from lanpi.config.model import Config
from lanpi.deploy.converge import RunOptions
from lanpi.deploy.proof import Proof, proven
from lanpi.deploy.session import Session
from lanpi.facts.read import read_facts
from lanpi.flows.groundwork import Reporter, install_without_server
from lanpi.hosts import ConnectOptions, open_host, parse_target
from lanpi.im.admin import Server
from lanpi.virtual.models import SUITES

MODEL = "4-2g"
"""The model whose size the virtual Pi has; its limits are decided again for it, as on any other Pi."""
# It must not act for the real Pi: no backups into its repositories, nothing sent or announced in its name.
APART: dict[str, Any] = {
    "backup": {"enabled": False, "repositories": []},
    "im": {"federation": False},
    "network": {"hostname_mdns": False},
}


@dataclass(frozen=True)
class Rehearsed:
    """The result of a drill on a virtual Pi.

    Attributes:
        location: the repository. snapshot: its id, short.
        summary: domain, people, messages, uploads, … (lanpi/pi/backup/content.py).
        proof: the message exchange there.
    """

    location: str
    snapshot: str
    summary: dict[str, Any]
    proof: Proof


def rehearse(session: Session, location: str, log: Path | None, report: Reporter) -> Rehearsed:
    """Restore a Pi's newest snapshot on a virtual Pi, remove that again, and record the proof on the Pi.

    Args:
        location: of the repository, as lanpi.yml names it; "" takes the first.

    Raises:
        LanpiError: MISSING (this machine cannot run virtual Pis), BLOCKED (no space), BAD_INPUT (no such
            repository), FAILED (what did not work).
    """
    facts = session.persist(lambda: read_facts(session, root=True), report)
    suite = facts.os.codename if facts.os.codename in SUITES else None
    with session.lease(report):
        giver = Side(session, send_program(session, report))
        try:
            given = giver.program.run("give-snapshot", "--from", location)
            report.begin("Starting a virtual Pi")
            pi = virtual.up(f"drill-{secrets.token_hex(3)}", model=MODEL, suite=suite)
            report.end(pi.name)
            try:
                with open_host(parse_target(f"virtual:{pi.name}"), ConnectOptions()) as scratch:
                    proof = _bring_back(giver, given, Session(scratch), log, report)
            finally:
                virtual.down(pi.name)
            giver.program.run("served", given["location"])
        finally:
            forget(giver, report)
    return Rehearsed(given["location"], given["snapshot"], given, proof)


def _bring_back(giver: Side, given: dict[str, Any], scratch: Session, log: Path | None, report: Reporter) -> Proof:
    with scratch.lease(report):
        taker = Side(scratch, send_program(scratch, report))
        carry_over(giver, given, taker, report)
        taker.program.run("restore-settings")
        install_without_server(scratch, as_apart, RunOptions(log=log), report)
        summary = taker.program.run("restore-swap")
        return proven(scratch, Server(scratch, summary["domain"]), report)


def as_apart(pi_text: str | None) -> Config:
    """The restored settings, without those that reach out of the virtual Pi."""
    return effective(parse(pi_text or "", "the restored lanpi.yml"), APART).config
