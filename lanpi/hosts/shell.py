"""Small things that local and SSH hosts share: quoting for messages, the atomic write, the failure."""

import shlex
from collections.abc import Sequence

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed

_SHOWN_LENGTH = 120


def shown(argv: Sequence[str]) -> str:
    """A command for messages, cut when it is long."""
    text = shlex.join(argv)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


# Under a name of its own first, on disk before it gets the real one: a power cut leaves old or new.
_PUT = """set -eu
umask 022
mkdir -p "$(dirname "$1")"
umask 077
new="$1.lanpi.$$"
trap 'rm -f "$new"' EXIT
cat > "$new"
chmod "$2" "$new"
sync "$new"
mv -f "$new" "$1"
"""


def put_script(path: str, mode: int) -> list[str]:
    """The command that writes its standard input to ``path`` atomically."""
    return ["/bin/sh", "-c", _PUT, "put", path, f"{mode:04o}"]


def failure(done: Completed, host: str) -> LanpiError:
    """The error for a command that ended with a status other than 0."""
    said = done.error_text.strip() or done.text.strip()
    last = said.splitlines()[-1] if said else "it printed nothing"
    return LanpiError(
        f"`{done.command}` ended with status {done.exit_status}: {last}",
        host=host,
        exit_code=ExitCode.FAILED,
    )
