"""`lanpi restore`: a snapshot onto a Pi - fetched and compared first, then settings, install, data, proof."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanpi import paths
from lanpi.backup.remote import SENT, Program, send_program
from lanpi.config.load import effective, parse
from lanpi.config.model import Config
from lanpi.deploy.check import check_now
from lanpi.deploy.clock import set_clock
from lanpi.deploy.converge import LOCK_WAIT_SECONDS
from lanpi.deploy.lock import TakenOver
from lanpi.deploy.proof import Proof, proven
from lanpi.deploy.runner import run_playbook
from lanpi.deploy.session import Session
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.flows.groundwork import Reporter, install_without_server
from lanpi.flows.install import Options, install
from lanpi.hosts.base import Host
from lanpi.im.admin import Server
from lanpi.im.moved import forget_moved
from lanpi.progress import Progress

ENGINE = "restic"
PI_KEY = "/etc/lanpi/backup.key"
PI_ENVIRONMENT = "/etc/lanpi/backup.env"


@dataclass(frozen=True)
class Request:
    """What to restore.

    Attributes:
        location: the repository, as lanpi.yml names it (as the Pi reaches it).
        snapshot: "latest", the beginning of an id, or a time (ISO 8601, UTC).
        key: of the repository; None takes the one that the Pi has.
        environment: KEY=VALUE lines that the storage asks for; None takes what the Pi has.
        log: file for Ansible's own output.
    """

    location: str
    snapshot: str
    key: bytes | None
    environment: bytes | None
    log: Path | None


@dataclass(frozen=True)
class Restored:
    """The result of a restore.

    Attributes:
        snapshot: its id, short.
        summary: domain, made, people, messages, uploads, … (lanpi/pi/backup/content.py).
        previous: folder on the Pi with what was there before, "" if there was nothing.
        proof: the message exchange at the end.
        told: the domain if mDNS announces it next to the Pi's own name, else "".
    """

    snapshot: str
    summary: dict[str, Any]
    previous: str
    proof: Proof
    told: str = ""


def restore(session: Session, request: Request, report: Reporter) -> Restored:
    """Restore a snapshot onto a Pi, fresh or not, and prove that messages are delivered.

    After an interruption, the same call continues. A failure after the data were exchanged puts the previous
    data back.

    Raises:
        LanpiError: REFUSED (no root, wrong key), BAD_INPUT (no such repository or snapshot, another domain
            there), BLOCKED (no space, another lanpi at work), FAILED (what did not work).
    """
    report.begin("Looking at the Pi")
    session.require_root()
    facts = session.persist(lambda: read_facts(session, root=True, packages=(ENGINE,)), report)
    was_installed = facts.installed is not None and facts.installed.finished
    report.end(f"{facts.hardware.model}, {facts.os.pretty_name}")
    with session.lease(report):
        _bring_engine(session, facts, request.log, report)
        program = send_program(session, report)
        fetched = _fetch(session, program, request)
        same_domain(session, facts, fetched["domain"])
        program.run("restore-settings")
        previous = Previous(was_installed, moved=facts.moved is not None)
        options = Options(log=request.log, bring_back=True)
        proof = _put_in_place(session, program, fetched["domain"], options, report, previous)
        done = program.run("restore-finish")
        forget_moved(session)
        check_now(session, report)
    return Restored(fetched["id"], fetched, done["previous"], proof, done["told"])


@dataclass(frozen=True)
class Previous:
    """What was on the Pi before a restore: a server, and whether that one has moved to another Pi."""

    server: bool
    moved: bool


def _put_in_place(
    session: Session, program: Program, domain: str, options: Options, report: Reporter, previous: Previous
) -> Proof:
    """From the settings that came back to the proof; after a failure, what was there before is put back.

    Args:
        previous: what was there before.
    """
    try:
        install_without_server(session, as_restored, options, report)
    except LanpiError as error:
        if previous.server and may_go_back(error):
            _go_back(session, program, options, report, previous)
        raise
    try:
        program.run("restore-swap")
    except LanpiError as error:
        if previous.server and not previous.moved and may_go_back(error):
            install(session, as_restored, options, report)  # services for the settings that are back
        raise
    try:
        return proven(session, Server(session, domain), report)
    except LanpiError as error:
        if previous.server and may_go_back(error):
            _go_back(session, program, options, report, previous)
        raise


def may_go_back(error: LanpiError) -> bool:
    """Whether a failure leaves the Pi in our hands, so that what was there before can be put back now."""
    return error.exit_code is not ExitCode.UNREACHABLE and not isinstance(error, TakenOver)


def discard_previous(session: Session, report: Progress) -> tuple[str, ...]:
    """Remove the previous data that restores have kept; returns the names of what was removed.

    Raises:
        LanpiError: BLOCKED while a restore is unfinished.
    """
    with session.lease(report):
        return tuple(send_program(session, report).run("restore-discard")["discarded"])


def as_restored(pi_text: str | None) -> Config:
    return effective(parse(pi_text or "", "the restored lanpi.yml"), {}).config


def _bring_engine(session: Session, facts: Facts, log: Path | None, report: Reporter) -> None:
    if ENGINE in facts.packages.installed:
        return
    set_clock(session, facts, report)
    report.begin(f"Installing {ENGINE}")
    variables = {"lanpi_packages": [ENGINE], "lanpi_lock_seconds": LOCK_WAIT_SECONDS}
    session.persist(lambda: run_playbook(session, "restore.yml", variables, report.event, log=log), report)
    report.end()


def restore_part(session: Session, request: Request, account: str, room: str, report: Progress) -> dict[str, Any]:
    """Restore one account or one room of a snapshot into the running server; existing data stay.

    Args:
        account, room: address of one of them, or the part before its @; the other empty.

    Returns:
        added: rows by table. rows: all of them. files: uploads that were gone.

    Raises:
        LanpiError: BAD_INPUT (not in the snapshot, of another domain, of the other kind of database), BLOCKED (no
            space, an unfinished work), REFUSED (wrong key), FAILED.
    """
    report.begin("Looking at the Pi")
    facts = session.persist(lambda: read_facts(session, root=True, packages=(ENGINE,)), report)
    if not (facts.installed and facts.installed.finished):
        raise LanpiError("there is no server to restore them into", host=session.name,
                         next_step="Restore everything: run the same command without --account and --room",
                         exit_code=ExitCode.BAD_INPUT)  # fmt: skip
    report.end(facts.hardware.model)
    what = part_address(facts.installed.domain, account, room)
    with session.lease(report):
        return _with_repository(session, send_program(session, report), request, "restore-part", *what)


def part_address(domain: str, account: str, room: str) -> tuple[str, str]:
    """The option of the Pi's program, and the whole address, whichever of its two forms was given."""
    if account:
        return "--account", account if "@" in account else f"{account}@{domain}"
    return "--room", room if "@" in room else f"{room}@conference.{domain}"


def _fetch(host: Host, program: Program, request: Request) -> dict[str, Any]:
    return _with_repository(host, program, request, "restore-fetch")


def _with_repository(host: Host, program: Program, request: Request, verb: str, *what: str) -> dict[str, Any]:
    key, environment = PI_KEY, PI_ENVIRONMENT
    if request.key is not None:
        key = f"{SENT}/key"
        host.put(key, request.key, root=True)
    elif host.run(["test", "-e", key], root=True, check=False).exit_status != 0:
        raise LanpiError(
            "this Pi does not have the repository's key",
            host=host.name,
            next_step="Pass --key-file FILE: the key is on the recovery sheet that `lanpi backup key` wrote",
            exit_code=ExitCode.BAD_INPUT,
        )
    if request.environment is not None:
        environment = f"{SENT}/environment"
        host.put(environment, request.environment, root=True)
    try:
        return program.run(
            *(verb, "--from", request.location, "--snapshot", request.snapshot),
            *("--key", key, "--environment", environment, *what),
        )
    finally:
        # In memory only, and not longer than needed.
        host.run(["rm", "-f", f"{SENT}/key", f"{SENT}/environment"], root=True)


def same_domain(host: Host, facts: Facts, domain: str) -> None:
    if facts.installed and facts.installed.domain and facts.installed.domain != domain:
        raise LanpiError(
            f"this Pi serves {facts.installed.domain}, and the snapshot belongs to {domain}",
            host=host.name,
            next_step=f"Use another Pi, or run `lanpi uninstall --purge` if nobody needs {facts.installed.domain}",
            exit_code=ExitCode.BAD_INPUT,
        )


def _go_back(session: Session, program: Program, options: Options, report: Reporter, previous: Previous) -> None:
    """Put the previous data and settings back, and the services into the state of those settings."""
    program.run("restore-back")
    if previous.moved:
        return  # the server that was here runs on another Pi, and stays off here
    config = session.get(paths.PI_CONFIG, root=True).decode()
    install(session, lambda _: as_restored(config), options, report)
