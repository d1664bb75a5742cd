"""What the Pi's own backup program works from: the roles' declarations and the configuration, as one document."""

from collections.abc import Mapping, Sequence
from typing import Any

from lanpi import __version__
from lanpi.config.model import Config


def build_manifest(items: Sequence[Mapping[str, Any]], config: Config, domain: str) -> dict[str, Any]:
    """/etc/lanpi/backup-manifest.json.

    Args:
        items: what the roles declare to be backed up, those that apply, rendered.
        config: the configuration in effect.
        domain: the XMPP domain, by which a Pi knows its snapshots in a shared repository.
    """
    backup = config.backup
    return {
        "version": __version__,
        "domain": domain,
        "admin": config.admin,
        "items": [dict(item) for item in items],
        "repositories": list(backup.repositories),
        "keep": {
            "hourly": backup.keep_hourly,
            "daily": backup.keep_daily,
            "weekly": backup.keep_weekly,
            "monthly": backup.keep_monthly,
        },
        "hook_before": backup.hook_before,
        "hook_after": backup.hook_after,
        "notify": backup.notify,
    }
