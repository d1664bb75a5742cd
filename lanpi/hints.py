"""Commands that lanpi prints can be pasted as they are: the target, and how to log in there, are added in one place.

Whoever writes a hint writes ``lanpi backup now``, wherever the code runs; whoever shows it knows the target and
completes it. On the Pi itself there is nothing to add.
"""

import re
import shlex
from dataclasses import dataclass

TARGETED: dict[str, int] = {
    "install": 0,
    "status": 0,
    "doctor": 0,
    "logs": 0,
    "report": 0,
    "invite new": 0,
    "invite list": 0,
    "invite show": 1,
    "invite revoke": 1,
    "invite": 0,
    "user add": 1,
    "user passwd": 1,
    "user reset": 1,
    "user list": 0,
    "user show": 1,
    "user sessions": 1,
    "user kick": 1,
    "user disable": 1,
    "user enable": 1,
    "user remove": 1,
    "user import": 1,
    "user export": 0,
    "group add": 1,
    "group list": 0,
    "group show": 1,
    "group join": 2,
    "group leave": 2,
    "group remove": 1,
    "room create": 1,
    "room list": 0,
    "room show": 1,
    "room members": 1,
    "room destroy": 1,
    "announce": 1,
    "ca": 0,
    "tune apply": 0,
    "tune history": 0,
    "tune": 0,
    "backup now": 0,
    "backup list": 0,
    "backup show": 1,
    "backup key": 0,
    "backup export": 1,
    "backup add": 1,
    "backup remove": 1,
    "backup schedule": 0,
    "backup verify": 0,
    "backup drill": 0,
    "backup prune": 0,
    "backup unlock": 0,
    "backup forget-repository": 1,
    "alert add": 1,
    "alert list": 0,
    "alert remove": 1,
    "alert test": 0,
    "restore": 0,
    "uninstall": 0,
    "config show": 0,
}
"""Commands that take a target -> how many other arguments stand before it. A test compares it with the commands."""

_WORD = r"(?>[^\s`;,()]*[^\s`;,().])"
_COMMANDS = "|".join(
    re.escape(name) + rf"(?: (?!-){_WORD}){{{before}}}" for name, before in sorted(TARGETED.items(), reverse=True)
)
# Not in the middle of a path or an address; the command's name is the whole word; and no target is named already.
_HINT = re.compile(rf"(?<![\w/.@-])lanpi (?>{_COMMANDS})(?![\w-])(?! --help\b)(?! (?:TARGET\b|virtual:|[\w.-]+@))")


@dataclass(frozen=True)
class Place:
    """Where a command is to run.

    Attributes:
        target: as the user named it; None for this machine.
        identity, password_file, sudo_password_file: options of the login, paths only; "" where not given.
    """

    target: str | None = None
    identity: str = ""
    password_file: str = ""
    sudo_password_file: str = ""

    def complete(self, text: str) -> str:
        """A text with what each command in it needs to reach this place; one that has it stays as it is."""
        return text if self.target is None else _HINT.sub(self._completed, text)

    def _completed(self, match: re.Match[str]) -> str:
        added = " " + shlex.join(self._words(match.group()))
        return match.group() if match.string.startswith(added, match.end()) else match.group() + added

    def _words(self, command: str) -> list[str]:
        # A command with passwords of its own calls SSH's by its whole name (lanpi.cli.user).
        ssh = "--ssh-password-file" if command.startswith(("lanpi user ", "lanpi alert add ")) else "--password-file"
        options = (("--identity", self.identity), (ssh, self.password_file),
                   ("--sudo-password-file", self.sudo_password_file))  # fmt: skip
        return [self.target or "", *(word for name, value in options if value for word in (name, value))]


HERE = Place()
"""This machine."""
