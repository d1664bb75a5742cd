"""This machine as a Host."""

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed
from lanpi.hosts.root import Root
from lanpi.hosts.shell import failure, put_script, shown


class LocalHost:
    """Runs commands as children of lanpi.

    Args:
        root: how to become root where lanpi does not run as it.
    """

    def __init__(self, root: Root) -> None:
        self._root = root

    name = "this machine"
    address = "127.0.0.1"
    direct = True
    is_this_machine = True

    @property
    def can_be_root(self) -> bool:
        """Already root, or sudo allows it."""
        return os.geteuid() == 0 or self._root.available(self._run)

    def require_root(self) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        if os.geteuid() != 0:
            self._root.wrap([], b"", self._run, self.name)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        root: bool = False,
        check: bool = True,
        timeout_seconds: float | None = None,
    ) -> Completed:
        """See :class:`lanpi.hosts.base.Host`."""
        if root and os.geteuid() != 0:
            command, given = self._root.wrap(argv, stdin, self._run, self.name)
        else:
            command, given = list(argv), stdin
        done = self._run(command, given, timeout_seconds)
        if check and done.exit_status != 0:
            raise failure(done, self.name)
        return Completed(shown(argv), done.exit_status, done.stdout, done.stderr)

    def _run(self, argv: Sequence[str], stdin: bytes, timeout_seconds: float | None = None) -> Completed:
        try:
            done = subprocess.run(list(argv), input=stdin, capture_output=True, check=False, timeout=timeout_seconds)
        except FileNotFoundError:
            return Completed(shown(argv), 127, b"", f"{argv[0]}: not found".encode())
        except subprocess.TimeoutExpired as error:
            raise LanpiError(f"{shown(argv)} took longer than {timeout_seconds:.0f} s", host=self.name) from error
        # subprocess reports a signal as its negative number, shells as 128 + it.
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return Completed(shown(argv), status, done.stdout, done.stderr)

    def stream(
        self,
        argv: Sequence[str],
        on_output: Callable[[bytes], None],
        *,
        stdin: bytes = b"",
        root: bool = False,
    ) -> int:
        """See :class:`lanpi.hosts.base.Host`."""
        if root and os.geteuid() != 0:
            command, given = self._root.wrap(argv, stdin, self._run, self.name)
        else:
            command, given = list(argv), stdin
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(given)
            process.stdin.close()
            try:
                while chunk := process.stdout.read1(65536):  # type: ignore[attr-defined]
                    on_output(chunk)
            except BaseException:
                process.terminate()
                raise
            return process.wait()

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        """See :class:`lanpi.hosts.base.Host`."""
        self.run(put_script(path, mode), stdin=data, root=root)

    def get(self, path: str, *, root: bool = False) -> bytes:
        """See :class:`lanpi.hosts.base.Host`."""
        if not root or os.geteuid() == 0:
            try:
                return Path(path).read_bytes()
            except PermissionError as error:
                raise LanpiError(
                    f"permission to read {path} was denied", host=self.name, exit_code=ExitCode.REFUSED
                ) from error
        if self.run(["test", "-e", path], root=True, check=False).exit_status != 0:
            raise FileNotFoundError(path)
        return self.run(["cat", "--", path], root=True).stdout

    def disconnect(self) -> None:
        """Nothing to end."""

    def close(self) -> None:
        """Nothing to close."""
