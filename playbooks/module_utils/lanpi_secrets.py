"""Generated passwords that never leave the Pi.

Templates hold a placeholder where a secret goes; the tree module fills it in on the Pi and turns it back into
the placeholder in every diff. A secret that /etc/lanpi/secrets.json has lost is read back from the files that
hold it; where something depends on a secret that no file holds any more, nothing is made up in its place.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from pathlib import Path

from ansible.module_utils.lanpi_state import write_atomically

SECRETS = Path("/etc/lanpi/secrets.json")
PLACEHOLDER = re.compile(r"@LANPI_SECRET:([a-z_]+)@")
SECRET_BYTES = 32  # 256 bits: out of reach of guessing, however fast the service answers
REDACTED = "[redacted]"
OTHERS_READ = 0o004

# What stands beside a secret in other people's files: "requirepass x", "password: x", "token=x".
_SHAPE = re.compile(
    r"((?<!@LANPI_)(?:(?:password|passwd|passphrase|secret|token)[\"']?[ \t]*[:=]"
    r"|^[ \t]*(?:requirepass|masterauth|password)[ \t])"
    r"[ \t]*[\"']?)(?!@LANPI_SECRET:)([^\s\"',}]+)",
    re.IGNORECASE | re.MULTILINE,
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


class SecretLostError(Exception):
    """A secret that something depends on is nowhere to be found; the text is for the user."""


class Secrets:
    """The secrets file, read once; what is missing there is recovered, or made when a text asks for it."""

    def __init__(self, check_mode):
        self._check_mode = check_mode
        self._values, self._damaged = _read()
        self._new = False

    def recover(self, files, digests, irreplaceable=()):
        """Read back what the secrets file has lost from the files that were filled in with it.

        Args:
            files: those that are wanted, as lanpi_tree takes them.
            digests: path -> SHA-256 of what lanpi last placed there; such a file is believed first.
            irreplaceable: secrets that are never made again where something may depend on them: name, what (for
                people), file (where one can put it back), needed_by (paths that depend on it) and hint of each.

        Raises:
            SecretLostError: one of those is lost.
        """
        templates = {wanted["path"]: base64.b64decode(wanted["content"]).decode(errors="replace") for wanted in files}
        asked = {name for text in templates.values() for name in PLACEHOLDER.findall(text)}
        for name in sorted(asked - set(self._values)):
            found = _found_in(name, templates, digests)
            if found is not None:
                self._values[name] = found
                self._new = True
        for lost in irreplaceable:
            needed = lost["file"] in digests or any(Path(path).exists() for path in lost["needed_by"])
            if lost["name"] in asked and lost["name"] not in self._values and needed:
                raise SecretLostError(
                    f"{lost['what']} is lost: neither {SECRETS} nor {lost['file']} holds it. "
                    f"Write it to {lost['file']} on the Pi ({lost['hint']})"
                )
        self._save()

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

    def mask(self, text, template="", *, private=False):
        """Put the placeholders back in place of the secrets, known or not.

        Args:
            text: what may hold secrets.
            template: of the file that the text is of: what stands where it has a placeholder is a secret, whether
                or not the secrets file knows it.
            private: the text is not for everybody: what looks like a secret is taken out as well.
        """
        for name, value in self._values.items():
            if value:
                text = text.replace(value, f"@LANPI_SECRET:{name}@")
        whole = PLACEHOLDER.fullmatch(template.strip())
        if whole and text.strip():
            return f"{whole.group(0)}\n"
        for _, shape in _shapes(template):
            text = shape.sub(_hidden, text)
        if private or PLACEHOLDER.search(template):
            text = _SHAPE.sub(rf"\g<1>{REDACTED}", _KEY_BLOCK.sub(REDACTED, text))
        return text

    def _save(self):
        # Saved before any file that uses them: a power cut must not leave two values about.
        if not self._new or self._check_mode:
            return
        SECRETS.parent.mkdir(mode=0o755, exist_ok=True)
        if self._damaged is not None:
            write_atomically(SECRETS.with_suffix(".damaged"), self._damaged, 0o600)
            self._damaged = None
        write_atomically(SECRETS, json.dumps(self._values, indent=1, sort_keys=True).encode(), 0o600)
        self._new = False


def _read():
    """Values of the secrets file; and its bytes where they are not what lanpi wrote."""
    if not SECRETS.exists():
        return {}, None
    data = SECRETS.read_bytes()
    try:
        values = json.loads(data)
    except ValueError:
        return {}, data
    if not isinstance(values, dict):
        return {}, data
    return {name: value for name, value in values.items() if isinstance(value, str) and value}, None


def _shapes(template):
    """For each line with placeholders: their names, and what such a line looks like, a group for each secret."""
    for line in template.splitlines():
        parts = PLACEHOLDER.split(line.strip())
        if len(parts) > 1:
            # Somebody may have put other spaces in between.
            fixed = [r"[ \t]+".join(map(re.escape, re.split(r"[ \t]+", part))) for part in parts[::2]]
            pattern = fixed[0] + "".join(rf"([^\s\"']+){part}" for part in fixed[1:])
            yield parts[1::2], re.compile(rf"^[ \t]*{pattern}[ \t]*$", re.MULTILINE)


def _hidden(match):
    """A line with the secrets taken out of it that are no placeholders."""
    text = match.group(0)
    for value in match.groups():
        if not PLACEHOLDER.fullmatch(value):
            text = text.replace(value, REDACTED)
    return text


def _found_in(name, templates, digests):
    """A secret as one of the files has it; None when none does."""
    candidates = []
    for path, template in templates.items():
        target = Path(path)
        if f"@LANPI_SECRET:{name}@" not in template or not target.is_file():
            continue
        data = target.read_bytes()
        ours = digests.get(path) == hashlib.sha256(data).hexdigest()
        for names, shape in _shapes(template):
            match = shape.search(data.decode(errors="replace"))
            if match and name in names:
                value = match.group(names.index(name) + 1)
                if not PLACEHOLDER.search(value):
                    candidates.append((not ours, value))
    return min(candidates)[1] if candidates else None
