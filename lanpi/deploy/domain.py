"""The domain that a Pi serves: chosen once, for accounts and archives belong to it."""

from lanpi.config.domain import check_domain
from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.hosts.base import Host


def default_domain(facts: Facts) -> str:
    """The domain if none is configured: the host name, found by mDNS."""
    return facts.hostname.lower() if "." in facts.hostname else f"{facts.hostname.lower()}.local"


def is_open(facts: Facts, config: Config) -> bool:
    """Whether nobody has chosen a domain yet, neither now nor by an install before."""
    return not config.domain and not (facts.installed and facts.installed.domain)


def chosen_domain(facts: Facts, config: Config, host: Host) -> str:
    """The configured domain; it cannot change later.

    Raises:
        LanpiError: BAD_INPUT for a host name that makes none, and where another one is served already.
    """
    wanted = config.domain or (facts.installed.domain if facts.installed else "") or default_domain(facts)
    try:
        check_domain(wanted)
    except ValueError as error:
        raise LanpiError(
            f"the host name {facts.hostname} cannot be used as a domain: {error}",
            host=host.name,
            next_step="Choose one with --set domain=NAME.local",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    if facts.installed and facts.installed.domain and facts.installed.domain != wanted:
        raise LanpiError(
            f"this Pi serves {facts.installed.domain}, and its addresses cannot be moved to {wanted}",
            host=host.name,
            next_step=f"Set domain: {facts.installed.domain}, or run `lanpi uninstall --purge` first",
            exit_code=ExitCode.BAD_INPUT,
        )
    return wanted
