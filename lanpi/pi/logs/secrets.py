"""Secrets are taken out of every line before it leaves the Pi."""

import json
import re
from collections.abc import Callable

SECRETS = "/etc/lanpi/secrets.json"
VARIABLES = ("/etc/lanpi/backup.env", "/etc/lanpi/alert.env")
"""Files of NAME=VALUE lines with what storages, mail servers and web addresses ask for."""
REDACTED = "[redacted]"
_SHORTEST = 6
_SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")
# What people and programs write beside a secret; ejabberd logs stanzas only at debug, where these matter most.
_SHAPES = (
    re.compile(r"""((?:password|passwd|secret|token|requirepass)["']?\s*[:=]\s*["']?)([^\s"',}]{4,})""", re.I),
    re.compile(r"(<(?:password|auth|response|token)\b[^>]*>)([^<]+)", re.I),
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S)


def values(text: str | None) -> list[str]:
    """Every secret value in the text of secrets.json, the longest first; nothing when there is no such file."""
    if text is None:
        return []
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, str) and len(value) >= _SHORTEST:
            found.append(value)

    walk(json.loads(text))
    return sorted(found, key=len, reverse=True)


def variables(text: str | None) -> list[str]:
    """The values in the text of a file of :data:`VARIABLES` that are secret by their names; nothing without a file."""
    pairs = (line.split("=", 1) for line in (text or "").splitlines() if "=" in line and not line.startswith("#"))
    found = (value.strip().strip("'\"") for name, value in pairs if _SECRET_NAME.search(name))
    return [value for value in found if len(value) >= _SHORTEST]


def known(read: Callable[[str], str | None]) -> list[str]:
    """Every secret value that the Pi's own files hold.

    Args:
        read: a file's text by its path, None where there is none.
    """
    return values(read(SECRETS)) + [value for path in VARIABLES for value in variables(read(path))]


def redactor(secrets: list[str]) -> Callable[[str], str]:
    """A function that takes these values, and what looks like one, out of a text."""
    longest_first = sorted(secrets, key=len, reverse=True)
    known = re.compile("|".join(map(re.escape, longest_first))) if secrets else None

    def redact(text: str) -> str:
        if known:
            text = known.sub(REDACTED, text)
        text = _KEY_BLOCK.sub(REDACTED, text)
        for shape in _SHAPES:
            text = shape.sub(rf"\g<1>{REDACTED}", text)
        return text

    return redact
