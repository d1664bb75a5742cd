"""Where backups go: a place is tried before backups depend on it, and only then written into the settings."""

from collections.abc import Callable
from dataclasses import dataclass

from lanpi import paths
from lanpi.backup.remote import Program, send_program
from lanpi.config.backup import Backup
from lanpi.config.load import effective, parse
from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.hosts.base import Host
from lanpi.progress import Progress

OWN_CARD = Backup().repositories[0]


@dataclass(frozen=True)
class Access:
    """How an sftp: place answers this Pi (lanpi/pi/backup/ssh.py).

    Attributes:
        state: open, closed, unknown, changed, silent.
        why: ssh's own words; empty when open.
        login: USER@HOST.
        public_key: of the Pi's root, for the other machine's authorized_keys.
        host_key: the line for known_hosts that would pin what the machine shows; "" where it is pinned already.
        fingerprint: of that key, as people compare it.
    """

    state: str
    why: str
    login: str
    public_key: str
    host_key: str
    fingerprint: str


@dataclass(frozen=True)
class Trial:
    """How a trial went.

    Attributes:
        complete: written, read back and listed; else only reached, as the Pi has no key of its own yet.
        new: a repository was made there.
        snapshots: of this Pi that are there already.
    """

    complete: bool
    new: bool
    snapshots: int


@dataclass(frozen=True)
class Trying:
    """How the new places of a configuration are tried.

    Attributes:
        tried: were tried already.
        reach_only: write nothing there, as for a check.
    """

    tried: tuple[str, ...] = ()
    reach_only: bool = False


EVERY_NEW_PLACE = Trying()


def require_installed(host: Host) -> None:
    """Refuse to change the places of a Pi that has none: adding one must not install a server.

    Raises:
        LanpiError: BAD_INPUT.
    """
    if host.run(["test", "-e", paths.PI_INSTALLED], root=True, check=False).exit_status != 0:
        raise LanpiError(
            "lanpi is not installed on this Pi",
            host=host.name,
            next_step="Run `lanpi install` first",
            exit_code=ExitCode.BAD_INPUT,
        )


def access(program: Program, place: str) -> Access | None:
    """Ask an sftp: place whether it lets this Pi in; None for other kinds of places.

    Raises:
        LanpiError: BAD_INPUT for an address that cannot be understood.
    """
    if not place.startswith("sftp:"):
        return None
    return Access(**program.run("place-access", place))


def pin(program: Program, host_key: str) -> None:
    """Let the Pi trust a host key from now on."""
    program.run("place-pin", host_key)


def attempt(program: Program, place: str, *, reach_only: bool = False) -> Trial:
    """Try a place under the conditions of the nightly backup.

    Args:
        program: on the Pi.
        place: as in backup.repositories.
        reach_only: write nothing there.

    Raises:
        LanpiError: what does not work: REFUSED (login, host key, repository's key), MISSING (a disk that is not there),
            BAD_INPUT, FAILED.
    """
    return Trial(**program.run("place-try", place, *(("--reach-only",) if reach_only else ()), confined=True))


def try_new(host: Host, facts: Facts, config: Config, report: Progress, trial: Trying) -> None:
    """Try the places that this configuration adds to what the Pi has; none is applied when one of them does not work.

    Args:
        host: the Pi.
        facts: of it; its own settings say which places it has.
        config: the configuration that is to be applied.
        report: is told what happens.
        trial: which are left out, and how far it goes.

    Raises:
        LanpiError: as :func:`attempt`.
    """
    known = {OWN_CARD, *trial.tried}
    if facts.config_text is not None:
        known.update(_config(facts.config_text).backup.repositories)
    new = [place for place in config.backup.repositories if place not in known]
    if not new:
        return
    program = send_program(host, report)
    for place in new:
        attempt(program, place, reach_only=trial.reach_only)


def recall(host: Host, report: Progress) -> None:
    """After an install: learn which backups the places hold already."""
    found = Program(host, report).run("recall")["snapshots"]
    if found:
        report.note(f"found {found} snapshots of this server in its backup places")


def adding(place: str) -> Callable[[str | None], Config]:
    """The Pi's configuration with one more place."""
    return lambda text: _with(text, lambda places: [*places, place] if place not in places else places)


def removing(place: str, host: str) -> Callable[[str | None], Config]:
    """The Pi's configuration without a place; what is stored there stays.

    Raises (when called):
        LanpiError: BAD_INPUT where the place is not in use, or is the last one.
    """

    def left(places: list[str]) -> list[str]:
        if place not in places:
            raise LanpiError(
                f"{place} is not one of the backup places: {', '.join(places)}",
                host=host,
                exit_code=ExitCode.BAD_INPUT,
            )
        if places == [place]:
            raise LanpiError(
                f"{place} is the only backup place",
                host=host,
                next_step="Add another place first, or switch backups off: lanpi install --set backup.enabled=false",
                exit_code=ExitCode.BAD_INPUT,
            )
        return [name for name in places if name != place]

    return lambda text: _with(text, left)


def _with(text: str | None, change: Callable[[list[str]], list[str]]) -> Config:
    changed = change(list(_config(text).backup.repositories))
    return effective(parse(text or "", "/etc/lanpi/lanpi.yml on the Pi"), {},
                     [{"backup": {"repositories": changed}}]).config  # fmt: skip


def _config(text: str | None) -> Config:
    return effective(parse(text or "", "/etc/lanpi/lanpi.yml on the Pi"), {}).config
