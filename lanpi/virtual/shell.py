"""Running this machine's own programs, and waiting for things with a deadline."""

import fcntl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError


def run(argv: Sequence[str], *, stdin: str = "", check: bool = True, timeout_seconds: float = 60) -> str:
    """Run a program of this machine and return what it printed.

    Args:
        argv: program and arguments; no secrets, arguments are visible to everybody.
        stdin: what it reads.
        check: raise on a non-zero status.
        timeout_seconds: give up after this long.

    Raises:
        LanpiError: MISSING when there is no such program, FAILED on a non-zero status or timeout.
    """
    try:
        done = subprocess.run(
            list(argv), input=stdin, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
    except FileNotFoundError as error:
        raise LanpiError(f"{argv[0]} is not installed on this machine", exit_code=ExitCode.MISSING) from error
    except subprocess.TimeoutExpired as error:
        raise LanpiError(f"{' '.join(argv[:3])} … took longer than {timeout_seconds:g} s") from error
    if check and done.returncode != 0:
        reason = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise LanpiError(f"{' '.join(argv[:4])} … ended with status {done.returncode}: {' / '.join(reason)}")
    return done.stdout


def wait_until(condition: Callable[[], bool], *, seconds: float, every_seconds: float = 0.1) -> bool:
    """Whether the condition came true before the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        if condition():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_seconds)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; it goes with the process, however that ends."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
