"""Lines from the history that the Pi keeps of its checks; pure."""

from collections.abc import Iterable
from dataclasses import replace

from lanpi.pi.checks.names import MINUTES, MISSED_SECONDS
from lanpi.pi.thresholds import TABLE
from lanpi.status.lines import NOT_AVAILABLE, Line, duration, size
from lanpi.status.model import History

SECTION = "Checks"
PARTS = ("login", "delivery", "archive", "websocket", "web")


def history_lines(history: History | None, now: float) -> list[Line]:
    """Availability, latency and the day's figures.

    Args:
        history: of the Pi; None where it keeps none.
        now: the Pi's clock, in seconds since 1970.
    """
    if history is None:
        return [Line("availability", SECTION, "Messages pass", "unknown", NOT_AVAILABLE)]
    lines = [_availability(history, now), *_latency(history)]
    if history.peak_sessions_today is not None:
        text = f"{history.peak_sessions_today} sessions at once"
        lines.append(Line("peak_today", SECTION, "Most today", "ok", text))
    if history.messages_today is not None:
        lines.append(
            Line("messages_today", SECTION, "Messages today", "ok", f"{history.messages_today} between people")
        )
    written = [
        f"{size(count)} in all" if name == "disk" else f"{name} {size(count)}"
        for name, count in history.written_today_bytes.items()
        if count is not None
    ]
    if written:
        lines.append(Line("written_today", SECTION, "Written today", "ok", ", ".join(written)))
    return lines


def with_since(lines: Iterable[Line], history: History | None, now: float) -> tuple[Line, ...]:
    """The lines; a warning or critical line says for how long it has been so, where the history knows."""
    since = history.bad_since if history else {}
    return tuple(
        replace(line, text=f"{line.text}, for {duration(now - since[line.key])}")
        if line.level in ("warning", "critical") and line.key in since
        else line
        for line in lines
    )


def _availability(history: History, now: float) -> Line:
    key, label = "availability", "Messages pass"
    standing = now - history.last_epoch
    if standing > MISSED_SECONDS:
        text = f"not checked for {duration(standing)}"
        return Line(key, SECTION, label, "warning", text, "See why: systemctl status lanpi-check.timer")
    if not history.checks:
        return Line(key, SECTION, label, "unknown", NOT_AVAILABLE)
    share = 100 * history.passed / history.checks
    text = f"{share:.1f} % of {history.checks} checks in the last day".replace("100.0 %", "100 %")
    if history.unseen_seconds:
        text += f", with no checks for {duration(history.unseen_seconds)}"
    if history.failing_since is not None:
        text = f"no, for {duration(now - history.failing_since)}: {history.last_error}; {text}"
        return Line(key, SECTION, label, "critical", text, "See what is wrong and what to do: lanpi doctor")
    return Line(key, SECTION, label, TABLE["failed_minutes"].level((history.checks - history.passed) * MINUTES), text)


def _latency(history: History) -> list[Line]:
    parts = []
    for part in PARTS:
        latest, usual = history.latest_seconds.get(part), history.usual_seconds.get(part)
        if latest is not None and usual is not None:
            parts.append(f"{part} {1000 * latest:.0f} ms (usually {1000 * usual:.0f})")
    if not parts:
        return []
    # What people notice: the login and the message; each has its own threshold.
    worst = max(
        (TABLE[f"deep_{part}"].level(history.latest_seconds.get(part)) for part in ("login", "delivery")),
        key=("unknown", "ok", "warning", "critical").index,
    )
    return [Line("latency", SECTION, "Takes", worst, ", ".join(parts))]
