"""The limits of healthy: the one table behind preflight, status and doctor, and docs/reference/status.md."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "critical", "unknown"]
"""``unknown`` is what the machine does not report; it never makes a verdict worse."""

SEVERITY: dict[Level, int] = {"unknown": 0, "ok": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True)
class Threshold:
    """The values from which a figure is a warning and critical.

    Attributes:
        key: what is measured.
        unit: of both bounds.
        warning: a warning from here on.
        critical: critical from here on; None where it never is.
        falling: low values are the bad ones.
        reason: why the limit is there, with its source where it is not lanpi's own convention.
    """

    key: str
    unit: str
    warning: float
    critical: float | None
    falling: bool
    reason: str

    def level(self, value: float | None) -> Level:
        """The level of a value; unknown for None."""
        if value is None:
            return "unknown"
        sign = -1 if self.falling else 1
        if self.critical is not None and sign * value >= sign * self.critical:
            return "critical"
        return "warning" if sign * value >= sign * self.warning else "ok"


TABLE = {
    row.key: row
    for row in (
        Threshold("load_per_core", "", 1.5, 4.0, False, "programs wait for a processor core, over five minutes"),
        Threshold("memory_available", "%", 15, 5, True, "the kernel starts to drop data that it soon needs again"),
        Threshold("swap_used", "%", 75, 95, False, "programs that no longer fit are about to be killed"),
        Threshold(
            "temperature", "°C", 75, 80, False, "the firmware slows the processor from 80 °C on (Raspberry Pi docs)"
        ),
        Threshold("disk_free", "%", 15, 5, True, "databases and upgrades need working space"),
        Threshold("disk_life_used", "%", 80, 100, False, "the card's own estimate (JEDEC eMMC, life time)"),
        Threshold("wifi_signal", "dBm", -70, -80, True, "below it, packets are lost and sent again"),
        Threshold("link_speed", "Mbit/s", 99, None, True, "10 Mbit/s over a cable means a bad cable or socket"),
        Threshold("certificate", "days", 25, 5, True, "it should have been renewed 30 days before it expires"),
        Threshold("backup_age", "hours", 50, 168, False, "two daily backups are missing, or a whole week"),
        Threshold("verified_age", "days", 35, None, False, "nobody knows whether the backup can be restored"),
        Threshold("logs_used", "% of logs.max_mb", 100, 150, False, "the limit is not kept"),
        Threshold(
            "security_updates", "packages", 1, None, False, "they should have been installed automatically at night"
        ),
        Threshold("answer_seconds", "s", 1.0, 4.0, False, "ejabberd normally answers within milliseconds"),
        Threshold("deep_login", "s", 3.0, 10.0, False, "people wait for it whenever their phone reconnects"),
        Threshold("deep_delivery", "s", 1.0, 5.0, False, "too slow for a conversation"),
        Threshold("deep_archive", "s", 1.0, 5.0, False, "the database is too slow"),
        Threshold("deep_websocket", "s", 2.0, 10.0, False, "people who chat in a browser wait for it"),
        Threshold("deep_web", "s", 2.0, 10.0, False, "phones open this page to trust the Pi"),
        Threshold("deep_reach", "s", 3.0, 10.0, False, "every login starts with it"),
        Threshold(
            "failed_minutes", "min of the last day", 30, None, False, "people notice half an hour without messages"
        ),
        Threshold("clock_off", "s", 60, 60, False, "certificates and message times go wrong; apt tolerates a minute"),
        # Only doctor reads these.
        Threshold("inodes_free", "%", 10, 5, True, "each file takes one, and databases create files as they work"),
        Threshold("memory_stall", "% of a minute", 5, 10, False, "every program waited for memory (PSI, full)"),
        Threshold("io_stall", "% of a minute", 20, None, False, "every program waited for the disk (PSI, full)"),
        Threshold("disk_wait", "ms a request", 100, None, False, "a healthy card answers within ten"),
        Threshold("cpu_stall", "% of a minute", 50, None, False, "some program waited for a core (PSI, some)"),
        Threshold("cores_busy", "%", 90, None, False, "nothing is left for a login, which takes a core 20 ms"),
        Threshold("redis_memory", "% of its limit", 95, None, False, "Redis drops sessions when it is full"),
        Threshold("open_files", "% of its limit", 80, None, False, "running out of them ends the whole server"),
        Threshold("failed_logins", "a day and address", 20, None, False, "mod_fail2ban bans after as many"),
        Threshold("service_restarts", "restarts", 1, None, False, "the service crashed within the last hour"),
    )
}

RESTART_WINDOW_SECONDS = 3600
"""How long a restart by systemd counts as a warning."""

# Raspberry Pi documentation, vcgencmd get_throttled: bits 0-3 now, the same 16 higher since boot.
THROTTLE_FLAGS = ("under-voltage", "frequency capped", "throttled", "soft temperature limit")
UNDER_VOLTAGE = 0
SINCE_BOOT_SHIFT = 16
