"""A Pi whose server has moved to another Pi: nothing starts it again unless the user says so."""

from lanpi import paths
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.hosts.base import Host


def require_here(host: Host, facts: Facts) -> None:
    """Refuse to bring about anything on a Pi whose server runs on another one.

    Raises:
        LanpiError: BLOCKED, with the Pi that has the server now.
    """
    if facts.moved is None:
        return
    when = f" on {facts.moved.when[:10]}" if facts.moved.when else ""
    raise LanpiError(
        f"the server {facts.moved.domain} of this Pi has moved to {facts.moved.to or 'another Pi'}{when}, "
        "and two servers with one name lose messages",
        host=host.name,
        next_step="Use the other Pi. To bring the server back with the data that this Pi still has: "
        "lanpi install --force",
        exit_code=ExitCode.BLOCKED,
    )


def bring_back(host: Host, facts: Facts) -> None:
    """Take back the note that the server has moved; its services may start again. The caller holds the lock."""
    if facts.moved is not None:
        host.run(["rm", "-f", paths.PI_MOVED], root=True)
