"""Figures in Prometheus's text exposition format (version 0.0.4)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Sample = tuple[str, dict[str, str], float | None]
"""Name, labels and value; None is a figure that the machine does not report."""

HELP = {
    "lanpi_status": "The verdict: 0 ok, 1 warning, 2 critical, 3 unknown.",
    "lanpi_check_level": "One line of the status: 0 ok, 1 warning, 2 critical; absent while unknown.",
    "lanpi_service_active": "Whether systemd reports the unit as active.",
    "lanpi_service_restarts": "Restarts by systemd since the unit was started by hand or at boot.",
    "lanpi_service_memory_bytes": "Memory used by the unit.",
    "lanpi_service_cpu_percent": "Processor time used, in percent of one core, during the reading.",
    "lanpi_service_written_bytes": "Bytes that the unit has written to disks since it was started.",
    "lanpi_people_registered": "Registered accounts.",
    "lanpi_people_online": "People with at least one session.",
    "lanpi_sessions": "Connected sessions.",
    "lanpi_messages_sent_per_minute": "Messages sent between people in the last minute.",
    "lanpi_messages_received_per_minute": "Messages received from people in the last minute.",
    "lanpi_answer_seconds": "How long ejabberd took to answer.",
    "lanpi_ejabberd_processes": "Processes in ejabberd's Erlang virtual machine.",
    "lanpi_checks_day": "Checks in the last day of whether messages are delivered.",
    "lanpi_checks_passed_day": "Checks in the last day that passed.",
    "lanpi_check_seconds": "How long each part of the last check took.",
    "lanpi_load5": "Load average over five minutes.",
    "lanpi_memory_total_bytes": "Total memory.",
    "lanpi_memory_available_bytes": "Memory available without swapping.",
    "lanpi_swap_total_bytes": "Total swap space.",
    "lanpi_swap_used_bytes": "Swap space in use.",
    "lanpi_temperature_celsius": "Temperature of the processor.",
    "lanpi_throttled_flags": "The firmware's throttling flags (vcgencmd get_throttled).",
    "lanpi_disk_total_bytes": "Size of the root file system.",
    "lanpi_disk_free_bytes": "Free space on the root file system.",
    "lanpi_disk_written_bytes": "Bytes written to the disk since boot.",
    "lanpi_logs_bytes": "Space that the logs use.",
    "lanpi_certificate_days_left": "Days until the certificate in use expires.",
    "lanpi_security_updates": "Packages with a pending security upgrade.",
    "lanpi_reboot_needed": "Whether a reboot is due.",
    "lanpi_link_signal_dbm": "Wi-Fi signal strength.",
    "lanpi_link_speed_mbit": "Speed of the network link.",
}


def exposition(samples: Iterable[Sample]) -> str:
    """Samples as text, each name once with its help; unknown values are left out.

    Raises:
        KeyError: a sample's name is not in ``HELP``.
    """
    known: dict[str, list[str]] = {name: [] for name in HELP}
    for name, labels, value in samples:
        if value is not None:
            known[name].append(f"{name}{_labels(labels)} {value:.15g}")
    lines = []
    for name, values in known.items():
        if values:
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge", *values]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def samples(readings: Mapping[str, Any], own: dict[str, str]) -> Iterator[Sample]:
    """The figures of a reading.

    Args:
        readings: what ``lanpi.pi.status`` gives, or Readings as a dictionary.
        own: labels that each sample gets, such as the target's name.
    """
    for service in readings["services"]:
        labels = own | {"unit": service["unit"]}
        yield "lanpi_service_active", labels, float(service["active"] == "active")
        for name in ("restarts", "memory_bytes", "cpu_percent", "written_bytes"):
            yield f"lanpi_service_{name}", labels, service[name]
    people = readings["people"] or {}
    yield "lanpi_people_registered", own, people.get("registered")
    yield "lanpi_people_online", own, people.get("online")
    yield "lanpi_sessions", own, people.get("sessions")
    yield "lanpi_messages_sent_per_minute", own, people.get("sent_per_minute")
    yield "lanpi_messages_received_per_minute", own, people.get("received_per_minute")
    yield "lanpi_answer_seconds", own, people.get("answer_seconds")
    history = readings["history"] or {}
    yield "lanpi_checks_day", own, history.get("checks")
    yield "lanpi_checks_passed_day", own, history.get("passed")
    for part, took in history.get("latest_seconds", {}).items():
        yield "lanpi_check_seconds", own | {"part": part}, took
    board = readings["board"]
    yield "lanpi_load5", own, board["load"][1] if len(board["load"]) > 1 else None
    for name in ("memory_total_bytes", "memory_available_bytes", "swap_total_bytes", "swap_used_bytes",
                 "temperature_celsius", "throttled_flags", "disk_total_bytes", "disk_free_bytes",
                 "disk_written_bytes"):  # fmt: skip
        yield f"lanpi_{name}", own, board[name]
    yield "lanpi_logs_bytes", own, readings["logs_bytes"]
    yield "lanpi_certificate_days_left", own, readings["certificate_days_left"]
    updates = readings["security_updates"]
    yield "lanpi_security_updates", own, None if updates is None else len(updates)
    yield "lanpi_reboot_needed", own, float(bool(readings["reboot_reasons"]))
    for link in readings["links"]:
        labels = own | {"link": link["name"]}
        yield "lanpi_link_signal_dbm", labels, link["signal_dbm"]
        yield "lanpi_link_speed_mbit", labels, link["speed_mbit"]
