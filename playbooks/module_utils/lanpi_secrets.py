"""Generated passwords that never leave the Pi.

Templates hold a placeholder where a secret goes; the tree module fills it in on the Pi and
turns it back into the placeholder in every diff.
"""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

from ansible.module_utils.lanpi_state import write_atomically

SECRETS = Path("/etc/lanpi/secrets.json")
PLACEHOLDER = re.compile(r"@LANPI_SECRET:([a-z_]+)@")
SECRET_BYTES = 32  # 256 bits: out of reach of guessing, however fast the service answers


class Secrets:
    """Reads the secrets file once; makes missing ones when asked to fill in a text."""

    def __init__(self, check_mode):
        self._check_mode = check_mode
        self._values = json.loads(SECRETS.read_text()) if SECRETS.exists() else {}
        self._new = False

    def fill_in(self, text):
        """Put the secrets in place of their placeholders, generating those that are missing.

        In check mode a missing secret keeps its placeholder: nothing is made up for a look.
        """

        def value(match):
            name = match.group(1)
            if name not in self._values:
                if self._check_mode:
                    return match.group(0)
                self._values[name] = secrets.token_urlsafe(SECRET_BYTES)
                self._new = True
            return self._values[name]

        filled = PLACEHOLDER.sub(value, text)
        self._save()
        return filled

    def mask(self, text):
        """Put the placeholders back in place of the secrets."""
        for name, value in self._values.items():
            text = text.replace(value, f"@LANPI_SECRET:{name}@")
        return text

    def _save(self):
        # Saved before any file that uses them: a power cut must not leave two values about.
        if self._new:
            SECRETS.parent.mkdir(mode=0o755, exist_ok=True)
            write_atomically(SECRETS, json.dumps(self._values, indent=1, sort_keys=True).encode(), 0o600)
            self._new = False
