"""Tell the administrator something, in every way that is set up; one that fails does not stop the others."""

import argparse
import json
import sys
from pathlib import Path

from lanpi.pi.alerts.settings import (
    SECRETS,
    SMTP_PASSWORD,
    Settings,
    read_secrets,
    read_settings,
    settings_from,
    token_name,
)


def send(settings: Settings, secrets: dict[str, str], subject: str, body: str) -> dict[str, str]:
    """Send an alert.

    Args:
        settings: who is told, and how.
        secrets: from :func:`read_secrets`.
        subject: two or three words. body: the text.

    Returns:
        What failed: the way -> why. Empty when everybody was told.
    """
    failed = {}
    for way in settings.to:
        try:
            _send(way, settings, secrets, subject, body)
        except (OSError, ValueError) as error:
            failed[way] = without(secrets, str(error) or type(error).__name__)
    return failed


def without(secrets: dict[str, str], text: str) -> str:
    """A text without the secrets: a server may repeat in its refusal what it was sent."""
    for value in secrets.values():
        if value:
            text = text.replace(value, "***")
    return text


def _send(way: str, settings: Settings, secrets: dict[str, str], subject: str, body: str) -> None:
    # Imported when they are needed: mail and web take a Pi longer to load than all the rest.
    if way == "xmpp":
        from lanpi.pi.im import api

        address = f"{settings.admin}@{settings.domain}"
        said = {"type": "chat", "from": settings.domain, "to": address, "subject": subject, "body": body}
        api.call(settings.domain, "send_message", **said)
    elif way.startswith("mailto:"):
        from lanpi.pi.alerts import mail

        title = f"{settings.domain}: {subject}"
        mail.send(settings.smtp, secrets.get(SMTP_PASSWORD, ""), way.removeprefix("mailto:"), title, body)
    else:
        from lanpi.pi.alerts import webhook

        webhook.send(way, secrets.get(token_name(way), ""), f"{settings.domain}: {subject}", body)


def main() -> None:
    """Command line: see the options. Prints what failed as JSON: the way -> why."""
    parser = argparse.ArgumentParser(prog="alert")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--body", required=True)
    parser.add_argument("--settings", default="", help="use these (JSON) instead of the Pi's own")
    parser.add_argument("--secrets", default=str(SECRETS), help="file with the secrets")
    options = parser.parse_args()
    settings = settings_from(json.loads(options.settings)) if options.settings else read_settings()
    if settings is None:
        raise SystemExit("alerts are not set up on this Pi")
    json.dump(send(settings, read_secrets(Path(options.secrets)), options.subject, options.body), sys.stdout)
