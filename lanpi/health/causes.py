"""Why a service is down: the log lines that tell, and what each of them means."""

import re
from dataclasses import dataclass

from lanpi.health.evidence import Evidence
from lanpi.health.finding import Action
from lanpi.logs.read import Entry

RECENT_SECONDS = 900.0
"""Lines of the last quarter of an hour explain what is down now."""
ONE_FAILURE_SECONDS = 20.0
"""Lines this far apart at most belong to one failure; ejabberd starts again within this time."""


@dataclass(frozen=True)
class Cause:
    """A pattern in the logs and what it means."""

    id: str
    pattern: re.Pattern[str]
    says: str
    fix: str
    action: Action


def _cause(id_: str, pattern: str, says: str, fix: str, action: Action = "") -> Cause:
    return Cause(id_, re.compile(pattern, re.IGNORECASE), says, fix, action)


CAUSES = (
    _cause("full-disk", r"no space left|\benospc\b|disk is full|database or disk is full", "the disk is full",
           "Free some space: lanpi doctor --fix", "free-disk"),
    _cause("out-of-memory", r"eheap_alloc|cannot allocate|out of memory|oom-kill|Killed process \d+ \((?:beam|redis)",
           "it ran out of memory", "Lower the limits: lanpi tune", "restart"),
    _cause("port-taken", r"eaddrinuse|address already in use|Failed to open socket.*in use",
           "another program uses one of its ports",
           "Stop that program (ss -tlnp shows it), then restart the service", ""),
    _cause("configuration", r"Invalid .*configuration|syntax error|Failed to load configuration|"
           r"Failed to parse.*ejabberd\.yml|Unknown option|bad config|"
           r"nginx: configuration file .* test failed", "its configuration is broken",
           "Put lanpi's configuration back: lanpi install", "converge"),
    _cause("permission", r"\beacces\b|permission denied|readonly database|unable to open database file",
           "it may not read or write one of its files", "See which: lanpi doctor --only ownership,drift", "restart"),
    _cause("node-name", r"node name mismatch|owned by another node",
           "its database belongs to another Erlang node name", "Put the node name back: lanpi install", "converge"),
    _cause("database", r"database disk image is malformed|file is not a database|mnesia.*(?:corrupt|bad_type)",
           "its database is damaged", "Restore the latest backup: lanpi restore", ""),
    _cause("certificate", r"certificate.*expired|no valid certificate", "its certificate has expired",
           "Renew it: systemctl start lanpi-tls.service", "certificate"),
    _cause("killed", r"status=9/KILL|signal=KILL|code=killed", "something keeps killing it (signal 9)",
           "Find out what sends the signal, then restart the service", "restart"),
)  # fmt: skip


def recent(evidence: Evidence, *sources: str) -> list[Entry]:
    """The lines of the last quarter of an hour of these sources."""
    since = evidence.readings.epoch_seconds - RECENT_SECONDS
    return [line for line in evidence.lines if line.when >= since and line.source.startswith(sources)]


def crash_cause(evidence: Evidence, *sources: str) -> tuple[Cause, tuple[str, ...]] | None:
    """The first cause that the recent lines show, with those lines."""
    lines = recent(evidence, *sources)
    telling = [line.when for line in lines if any(cause.pattern.search(line.text) for cause in CAUSES)]
    # A problem that was fixed since is not why the service is down now.
    lines = [line for line in lines if line.when >= max(telling, default=0.0) - ONE_FAILURE_SECONDS]
    texts = [f"{line.source}: {line.text}" for line in lines]
    if evidence.crash_slogan and "ejabberd" in sources:
        texts.append(f"erl_crash.dump: {evidence.crash_slogan}")
    for cause in CAUSES:
        shown = [text for text in texts if cause.pattern.search(text)]
        if shown:
            # A supervisor's report runs over dozens of lines; the first of them gives the reason.
            return cause, tuple("\n".join(text.splitlines()[:4]) for text in shown[-3:])
    return None
