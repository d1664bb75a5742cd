"""What the Pi's alerts work from, as one document."""

from typing import Any

from lanpi.config.model import Config


def build_alert_settings(config: Config, domain: str) -> dict[str, Any]:
    """/etc/lanpi/alert.json, as ``lanpi.pi.alerts.settings`` reads it; the secrets are in a file of their own.

    Args:
        config: the configuration in effect.
        domain: the XMPP domain.
    """
    alert = config.alert
    return {
        "domain": domain,
        "admin": config.admin,
        "to": list(alert.to),
        "smtp": {
            "host": alert.smtp_host or "",
            "port": alert.smtp_port,
            "security": alert.smtp_security,
            "user": alert.smtp_user or "",
            "sender": alert.smtp_from or "",
        },
    }
