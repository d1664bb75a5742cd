"""Judgements of people's connections and of the history that the Pi keeps of its checks; pure."""

from dataclasses import dataclass

from lanpi.health.finding import Finding, worst
from lanpi.health.readings import History, People
from lanpi.pi.checks.names import MINUTES, MISSED_SECONDS
from lanpi.pi.sizes import NOT_AVAILABLE, size
from lanpi.pi.thresholds import TABLE
from lanpi.spans import duration

PARTS = ("login", "delivery", "archive", "websocket", "web")
DOCTOR = "See what is wrong and what to do: lanpi doctor"


@dataclass(frozen=True)
class Connections:
    """Who is there, and whether all of it could be seen."""

    people: People | None
    is_root: bool


@dataclass(frozen=True)
class Checked:
    """The history, and the Pi's clock; None where nothing is kept."""

    history: History | None
    now: float


def connections(reading: Connections) -> tuple[Finding, ...]:
    """Who is there, how fast ejabberd says so, and the messages of the last minute."""
    people = reading.people
    if people is None or people.registered is None:
        why = "" if reading.is_root else " without root"
        return (Finding("people", "unknown", NOT_AVAILABLE + why, "People"),)
    if people.online is None:
        # The accounts are in the database; who is online, a server that does not answer cannot say.
        told = Finding("people", "unknown", f"{people.registered} accounts; who is online is not known", "People")
    else:
        text = f"{people.online} of {people.registered} online, {people.sessions} sessions"
        told = Finding("people", "ok", text, "People")
    return (told, _answer(people.answer_seconds), _messages(people))


def _answer(seconds: float | None) -> Finding:
    level = TABLE["answer_seconds"].level(seconds)
    text = NOT_AVAILABLE if seconds is None else f"in {1000 * seconds:.0f} ms"
    if level not in ("warning", "critical"):
        return Finding("answer", level, text, "Answer")
    cause = f"ejabberd answers slowly: {text}"
    return Finding(
        "answer", level, text, "Answer", cause, (f"answer {text}",), "See what keeps the Pi busy: lanpi doctor"
    )


def _messages(people: People) -> Finding:
    if people.sent_per_minute is None:
        return Finding("messages", "unknown", NOT_AVAILABLE, "Messages")
    text = f"{people.sent_per_minute} sent, {people.received_per_minute} received in the last minute"
    return Finding("messages", "ok", text, "Messages")


def availability(reading: Checked) -> Finding:
    """Whether messages are delivered, and did over the last day."""
    history, id = reading.history, "availability"
    if history is None:
        return Finding(id, "unknown", NOT_AVAILABLE)
    standing = reading.now - history.last_epoch
    if standing > MISSED_SECONDS:
        text = f"not checked for {duration(standing)}"
        return Finding(
            id,
            "warning",
            text,
            cause=f"the Pi has not checked itself for {duration(standing)}",
            evidence=(f"the last check was {duration(standing)} ago",),
            fix="See why: systemctl status lanpi-check.timer",
            action="check",
        )
    if not history.checks:
        return Finding(id, "unknown", NOT_AVAILABLE)
    share = 100 * history.passed / history.checks
    text = f"{share:.1f} % of {history.checks} checks in the last day".replace("100.0 %", "100 %")
    if history.unseen_seconds:
        text += f", with no checks for {duration(history.unseen_seconds)}"
    if history.failing_since is not None:
        failing = duration(reading.now - history.failing_since)
        return Finding(
            id,
            "critical",
            f"no, for {failing}: {history.last_error}; {text}",
            cause=f"messages do not pass, for {failing}",
            evidence=(history.last_error, text),
            fix=DOCTOR,
            action="check",
        )
    level = TABLE["failed_minutes"].level((history.checks - history.passed) * MINUTES)
    if level not in ("warning", "critical"):
        return Finding(id, level, text)
    cause = "messages did not pass for a part of the last day"
    return Finding(id, level, text, cause=cause, evidence=(text,), fix="See when: lanpi status --since 24h")


def latency(reading: Checked) -> tuple[Finding, ...]:
    """How long the parts of the last check took."""
    history, parts = reading.history, []
    for part in PARTS if history else ():
        assert history is not None
        latest, usual = history.latest_seconds.get(part), history.usual_seconds.get(part)
        if latest is not None and usual is not None:
            parts.append(f"{part} {1000 * latest:.0f} ms (usually {1000 * usual:.0f})")
    if not parts or history is None:
        return ()
    text = ", ".join(parts)
    # What people notice: the login and the message; each has its own threshold.
    level = worst(
        Finding(part, TABLE[f"deep_{part}"].level(history.latest_seconds.get(part)), "")
        for part in ("login", "delivery")
    )
    if level not in ("warning", "critical"):
        return (Finding("latency", level, text),)
    return (
        Finding(
            "latency",
            level,
            text,
            cause="logins or messages are slow",
            evidence=(text,),
            fix="See what keeps the Pi busy: lanpi doctor",
        ),
    )


def today(reading: Checked) -> tuple[Finding, ...]:
    """The day's figures; there is nothing to judge."""
    history = reading.history
    if history is None:
        return ()
    found = []
    if history.peak_sessions_today is not None:
        text = f"{history.peak_sessions_today} sessions at once"
        found.append(Finding("peak_today", "ok", text, "Most today"))
    if history.messages_today is not None:
        found.append(Finding("messages_today", "ok", f"{history.messages_today} between people", "Messages today"))
    written = [
        f"{size(count)} in all" if name == "disk" else f"{name} {size(count)}"
        for name, count in history.written_today_bytes.items()
        if count is not None
    ]
    if written:
        found.append(Finding("written_today", "ok", ", ".join(written), "Written today"))
    return tuple(found)
