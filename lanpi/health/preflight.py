"""Whether lanpi can be installed on a machine: all findings at once, before anything is changed."""

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.health.finding import Finding
from lanpi.health.fitness import hardware, health, memory, network, packages, storage, system
from lanpi.health.fitness.packages import PACKAGES

__all__ = ["PACKAGES", "Finding", "findings"]


def findings(facts: Facts, config: Config, *, forced: bool, now_epoch_seconds: float) -> tuple[Finding, ...]:
    """Everything preflight has to say, in the order of docs/reference/preflight.md.

    What status and doctor judge too (``TABLE``'s entries with ``preflight``), it judges by the same entry; an install
    goes on in spite of it, be it critical. Blockers are preflight's alone: what keeps an install from working.

    Args:
        facts: of the machine, read as root with ``packages=PACKAGES``.
        config: what is going to be installed.
        forced: whether --force was given.
        now_epoch_seconds: the operator's time when the facts were read.
    """
    return (
        *system.findings(facts, forced=forced),
        *hardware.findings(facts, forced=forced),
        *storage.findings(facts),
        *memory.findings(facts, config),
        *health.findings(facts, now_epoch_seconds=now_epoch_seconds),
        *network.findings(facts, config),
        *packages.findings(facts, config, forced=forced, now_epoch_seconds=now_epoch_seconds),
    )
