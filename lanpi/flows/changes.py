"""Changes of the settings that would hide people's data or break the server: refused before anything is touched."""

import json

from lanpi import paths
from lanpi.config.load import effective
from lanpi.config.model import Config
from lanpi.config.read import parse
from lanpi.errors import ExitCode, LanpiError, Mistake
from lanpi.facts.model import Facts
from lanpi.hosts.base import Host
from lanpi.ship.bundle import broken_reading, run_program

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def require_same_database(facts: Facts, config: Config, host: Host) -> None:
    """Refuse to start with an empty database where people's accounts and messages are in another one.

    Raises:
        LanpiError: BAD_INPUT, with both databases.
    """
    if facts.installed is None or not facts.installed.finished or not facts.config_text:
        return
    before = effective(parse(facts.config_text, paths.PI_CONFIG), {}).config.database
    if before != config.database:
        raise LanpiError(
            f"this Pi keeps its accounts and messages in {NAMES[before]}, and lanpi cannot move them to "
            f"{NAMES[config.database]}: the server would start empty",
            host=host.name,
            next_step=f"Set database: {before}. To start empty on purpose, run `lanpi uninstall --purge` first",
            exit_code=ExitCode.BAD_INPUT,
        )


def require_usable_certificate(config: Config, domain: str, host: Host) -> None:
    """With certificates from files: refuse those that ejabberd could not serve.

    Raises:
        LanpiError: BAD_INPUT with everything that is wrong with them.
    """
    if config.tls.mode != "files":
        return
    files = [str(config.tls.certificate), str(config.tls.key)]
    done = run_program(host, "lanpi.pi.read.tls_files", [*files, domain], root=True)
    if done.exit_status != 0:
        raise broken_reading(host, done, f"exit status {done.exit_status}")
    wrong = json.loads(done.stdout)
    if not wrong:
        return
    next_step = "Put the right files there and run the same command again, or use --set tls.mode=local"
    if len(wrong) == 1:
        raise LanpiError(wrong[0], host=host.name, next_step=next_step, exit_code=ExitCode.BAD_INPUT)
    raise LanpiError(
        "the certificate files cannot be used",
        host=host.name,
        next_step=next_step,
        exit_code=ExitCode.BAD_INPUT,
        mistakes=[Mistake("tls", "", None, text) for text in wrong],
    )
