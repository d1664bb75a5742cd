"""The operator's short names for their Pis: ~/.config/lanpi/hosts.yml, a mapping of name to target."""

import re
from pathlib import Path

from lanpi import paths
from lanpi.errors import ExitCode, LanpiError

_NAME = re.compile(r"^[a-z][a-z0-9-]{0,31}$")


class Inventory:
    """Reads and writes the names.

    Args:
        path: of the file; the operator's own when None.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or paths.operator_config() / "hosts.yml"

    def names(self) -> dict[str, str]:
        """Name -> target, empty when there is no file.

        Raises:
            LanpiError: BAD_INPUT when the file is not such a mapping.
        """
        if not self._path.exists():
            return {}
        import yaml  # noqa: PLC0415 - most targets are no names, and need no file

        try:
            data = yaml.safe_load(self._path.read_text()) or {}
        except yaml.YAMLError as error:
            raise self._broken(str(error)) from error
        if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
            raise self._broken("it must map names to targets")
        return {str(name): target for name, target in data.items()}

    def resolve(self, text: str | None) -> str | None:
        """The target behind a name; anything else comes back unchanged."""
        return self.names().get(text, text) if text else text

    def add(self, name: str, target: str) -> None:
        """Give a target a name, in place of what the name meant before."""
        if not _NAME.match(name) or name == "local":
            raise LanpiError(
                f"{name!r} is not a valid name for a host",
                next_step="Use up to 32 lower-case letters, digits and hyphens, starting with a letter, except local",
                exit_code=ExitCode.BAD_INPUT,
            )
        self._write(self.names() | {name: target})

    def remove(self, name: str) -> None:
        """Forget a name."""
        names = self.names()
        if name not in names:
            raise LanpiError(
                f"there is no host named {name!r}",
                next_step="`lanpi host list` lists all names",
                exit_code=ExitCode.BAD_INPUT,
            )
        del names[name]
        self._write(names)

    def _write(self, names: dict[str, str]) -> None:
        import yaml  # noqa: PLC0415

        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(yaml.safe_dump(names))
        new.replace(self._path)

    def _broken(self, why: str) -> LanpiError:
        return LanpiError(f"cannot read {self._path}: {why}", next_step="Fix the file", exit_code=ExitCode.BAD_INPUT)
