"""`lanpi restore`: a snapshot onto a Pi - fetched and compared first, then settings, install, data, proof."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lanpi import paths
from lanpi.backup.remote import SENT, Program, send_program
from lanpi.config.load import effective, parse
from lanpi.config.model import Config
from lanpi.deploy.lock import lock
from lanpi.deploy.proof import Proof
from lanpi.deploy.runner import run_playbook
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.facts.read import read_facts
from lanpi.flows.install import LOCK_WAIT_SECONDS, Options, Reporter, install, proven, set_clock
from lanpi.hosts.base import Host
from lanpi.im.admin import Server

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
        summary: domain, made, people, messages, uploads, … (lanpi_backup/content.py).
        previous: folder on the Pi with what was there before, "" if there was nothing.
        proof: the message exchange at the end.
        told: the domain if mDNS announces it next to the Pi's own name, else "".
    """

    snapshot: str
    summary: dict[str, Any]
    previous: str
    proof: Proof
    told: str = ""


def restore(host: Host, request: Request, report: Reporter) -> Restored:
    """Restore a snapshot onto a Pi, fresh or not, and prove that messages pass.

    After an interruption, the same call continues. A failure after the data were exchanged puts the previous
    data back.

    Raises:
        LanpiError: REFUSED (no root, wrong key), BAD_INPUT (no such repository or snapshot, another domain
            there), BLOCKED (no space, another lanpi at work), FAILED (what did not work).
    """
    report.begin("Looking at the Pi")
    if not host.can_be_root:
        raise LanpiError("a restore needs root, and this login may not become root", host=host.name,
                         next_step="Use a login that may run sudo", exit_code=ExitCode.REFUSED)  # fmt: skip
    facts = read_facts(host, root=True, packages=(ENGINE,))
    was_installed = facts.installed is not None and facts.installed.finished
    report.end(f"{facts.hardware.model}, {facts.os.pretty_name}")
    with lock(host, report.note):
        _bring_engine(host, facts, request.log, report)
        program = send_program(host, report)
        fetched = _fetch(host, program, request)
        same_domain(host, facts, fetched["domain"])
        program.run("restore-settings")
    domain = fetched["domain"]
    options = Options(log=request.log, bring_back=True)
    try:
        install(host, as_restored, replace(options, serve=False), report)
    except LanpiError as error:
        if was_installed and error.exit_code in (ExitCode.FAILED, ExitCode.BLOCKED, ExitCode.BAD_INPUT):
            _go_back(host, facts, program, options, report)
        raise
    with lock(host, report.note):
        try:
            program.run("restore-swap")
        except LanpiError as error:
            failure: LanpiError | None = error
        else:
            failure = None
    if failure:
        if was_installed and facts.moved is None and failure.exit_code is not ExitCode.UNREACHABLE:
            install(host, as_restored, options, report)  # services for the settings that are back
        raise failure
    try:
        proof = proven(host, Server(host, domain), report)
    except LanpiError as error:
        if was_installed and error.exit_code is not ExitCode.UNREACHABLE:
            _go_back(host, facts, program, options, report)
        raise
    done = program.run("restore-finish")
    return Restored(fetched["id"], fetched, done["previous"], proof, done["told"])


def discard_previous(host: Host, report: Reporter) -> tuple[str, ...]:
    """Remove the previous data that restores have kept; returns the names of what was removed.

    Raises:
        LanpiError: BLOCKED while a restore is unfinished.
    """
    return tuple(send_program(host, report).run("restore-discard")["discarded"])


def as_restored(pi_text: str | None) -> Config:
    return effective(parse(pi_text or "", "the restored lanpi.yml"), {}).config


def _bring_engine(host: Host, facts: Facts, log: Path | None, report: Reporter) -> None:
    if ENGINE in facts.packages.installed:
        return
    set_clock(host, facts, report)
    report.begin(f"Installing {ENGINE}")
    variables = {"lanpi_packages": [ENGINE], "lanpi_lock_seconds": LOCK_WAIT_SECONDS}
    run_playbook(host, "restore.yml", variables, report.event, log=log)
    report.end()


def restore_part(host: Host, request: Request, account: str, room: str, report: Reporter) -> dict[str, Any]:
    """Restore one account or one room of a snapshot into the running server; existing data stay.

    Args:
        account, room: address of one of them, the other empty.

    Returns:
        added: rows by table. rows: all of them. files: uploads that were gone.

    Raises:
        LanpiError: BAD_INPUT (not in the snapshot, of another domain, of the other kind of database), BLOCKED (no
            space, an unfinished work), REFUSED (wrong key), FAILED.
    """
    report.begin("Looking at the Pi")
    facts = read_facts(host, root=True, packages=(ENGINE,))
    if not (facts.installed and facts.installed.finished):
        raise LanpiError("there is no server to restore them into", host=host.name,
                         next_step="Restore everything: run the same command without --account and --room",
                         exit_code=ExitCode.BAD_INPUT)  # fmt: skip
    report.end(facts.hardware.model)
    what = ("--account", account) if account else ("--room", room)
    with lock(host, report.note):
        return _with_repository(host, send_program(host, report), request, "restore-part", *what)


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
            next_step=f"Use another Pi, or run lanpi uninstall --purge if nobody needs {facts.installed.domain}",
            exit_code=ExitCode.BAD_INPUT,
        )


def _go_back(host: Host, facts: Facts, program: Program, options: Options, report: Reporter) -> None:
    """Put the previous data and settings back, and the services into the state of those settings."""
    with lock(host, report.note):
        program.run("restore-back")
    if facts.moved is not None:
        return  # the server that was here runs on another Pi, and stays off here
    config = host.get(paths.PI_CONFIG, root=True).decode()
    install(host, lambda _: as_restored(config), options, report)
