"""Status in Prometheus's text exposition format (version 0.0.4)."""

from collections.abc import Iterator, Sequence

from lanpi.status.judge import Report
from lanpi.status.model import Readings
from lanpi.status.thresholds import SEVERITY

Sample = tuple[str, dict[str, str], float | None]

HELP = {
    "lanpi_status": "The verdict: 0 ok, 1 warning, 2 critical, 3 unknown.",
    "lanpi_check_level": "One line of the status: 0 ok, 1 warning, 2 critical; absent while it cannot be told.",
    "lanpi_service_active": "Whether systemd has the unit active.",
    "lanpi_service_restarts": "Restarts by systemd since somebody started the unit.",
    "lanpi_service_memory_bytes": "Memory of the unit.",
    "lanpi_service_cpu_percent": "Share of one core while it was looked at.",
    "lanpi_service_written_bytes": "Bytes written to disks since the unit was started.",
    "lanpi_people_registered": "Accounts.",
    "lanpi_people_online": "People with at least one session.",
    "lanpi_sessions": "Sessions.",
    "lanpi_messages_sent_per_minute": "Messages sent between people in the last minute.",
    "lanpi_messages_received_per_minute": "Messages received from people in the last minute.",
    "lanpi_answer_seconds": "How long ejabberd took to answer.",
    "lanpi_load5": "Load over five minutes.",
    "lanpi_memory_total_bytes": "Memory.",
    "lanpi_memory_available_bytes": "Memory that is to be had without swapping.",
    "lanpi_swap_total_bytes": "Swap.",
    "lanpi_swap_used_bytes": "Swap in use.",
    "lanpi_temperature_celsius": "Temperature of the processor.",
    "lanpi_throttled_flags": "The firmware's get_throttled.",
    "lanpi_disk_total_bytes": "The root file system's size.",
    "lanpi_disk_free_bytes": "What is free there.",
    "lanpi_disk_written_bytes": "Bytes written to the disk since boot.",
    "lanpi_logs_bytes": "What the logs take.",
    "lanpi_certificate_days_left": "Days until the served certificate ends.",
    "lanpi_security_updates": "Packages with a pending security upgrade.",
    "lanpi_reboot_needed": "Whether a reboot is due.",
    "lanpi_link_signal_dbm": "Wi-Fi signal.",
    "lanpi_link_speed_mbit": "Speed of the link.",
}


def exposition(reports: Sequence[Report]) -> str:
    """All samples of all targets, each name once with its help; what is not known is left out."""
    samples = [sample for report in reports for sample in _samples(report)]
    lines = []
    for name, text in HELP.items():
        known = [(labels, value) for found, labels, value in samples if found == name and value is not None]
        if known:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{{{_labels(labels)}}} {value:.15g}" for labels, value in known]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _samples(report: Report) -> Iterator[Sample]:
    target = {"target": report.target}
    yield "lanpi_status", target, report.exit_status
    for line in report.lines:
        if line.level != "unknown":
            yield "lanpi_check_level", target | {"check": line.key}, SEVERITY[line.level]
    if report.readings:
        yield from _readings(report.readings, target)


def _readings(readings: Readings, target: dict[str, str]) -> Iterator[Sample]:
    for service in readings.services:
        labels = target | {"unit": service.unit}
        yield "lanpi_service_active", labels, float(service.active == "active")
        yield "lanpi_service_restarts", labels, service.restarts
        yield "lanpi_service_memory_bytes", labels, service.memory_bytes
        yield "lanpi_service_cpu_percent", labels, service.cpu_percent
        yield "lanpi_service_written_bytes", labels, service.written_bytes
    if people := readings.people:
        yield "lanpi_people_registered", target, people.registered
        yield "lanpi_people_online", target, people.online
        yield "lanpi_sessions", target, people.sessions
        yield "lanpi_messages_sent_per_minute", target, people.sent_per_minute
        yield "lanpi_messages_received_per_minute", target, people.received_per_minute
        yield "lanpi_answer_seconds", target, people.answer_seconds
    board = readings.board
    yield "lanpi_load5", target, board.load[1] if len(board.load) > 1 else None
    yield "lanpi_memory_total_bytes", target, board.memory_total_bytes
    yield "lanpi_memory_available_bytes", target, board.memory_available_bytes
    yield "lanpi_swap_total_bytes", target, board.swap_total_bytes
    yield "lanpi_swap_used_bytes", target, board.swap_used_bytes
    yield "lanpi_temperature_celsius", target, board.temperature_celsius
    yield "lanpi_throttled_flags", target, board.throttled_flags
    yield "lanpi_disk_total_bytes", target, board.disk_total_bytes
    yield "lanpi_disk_free_bytes", target, board.disk_free_bytes
    yield "lanpi_disk_written_bytes", target, board.disk_written_bytes
    yield "lanpi_logs_bytes", target, readings.logs_bytes
    yield "lanpi_certificate_days_left", target, readings.certificate_days_left
    updates = readings.security_updates
    yield "lanpi_security_updates", target, None if updates is None else len(updates)
    yield "lanpi_reboot_needed", target, float(bool(readings.reboot_reasons))
    for link in readings.links:
        labels = target | {"link": link.name}
        yield "lanpi_link_signal_dbm", labels, link.signal_dbm
        yield "lanpi_link_speed_mbit", labels, link.speed_mbit
