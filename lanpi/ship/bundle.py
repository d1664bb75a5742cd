"""Run a module of lanpi.pi on a machine that has nothing but Python: one program on its standard input."""

import binascii
import re
import zlib
from collections.abc import Callable, Sequence

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed, Host
from lanpi.ship.closure import closure, text
from lanpi.ship.installed import ELSEWHERE, installed_program

_COMMAND_NOT_FOUND = 127
OLDEST = (3, 11)
"""The Python that lanpi.pi is written for: Debian bookworm's."""
_TOO_OLD = 79
"""The exit status of a program that found an older one; sysexits.h ends at 78."""

_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(\w+)")

# Without site (-S), which the standard library does not need, python3 starts in 12 instead of 20 ms on a
# virtual Pi (ten runs of each); -I keeps what is in the login's folder out of it.
PYTHON = ["python3", "-IS", "-"]

# A module is compiled when it is imported, not before: what a run does not need costs it nothing.
_BOOTSTRAP = """\
import importlib.machinery, sys
sys.dont_write_bytecode = True
sources = {sources!r}
class Sent:
    def find_spec(self, name, path=None, target=None):
        if name in sources:
            return importlib.machinery.ModuleSpec(name, self)
        if any(known.startswith(name + ".") for known in sources):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        source = sources.get(module.__name__, "")
        exec(compile(source, module.__name__.replace(".", "/") + ".py", "exec"), module.__dict__)
sys.meta_path.insert(0, Sent())
sys.argv[1:] = {arguments!r}
importlib.import_module({entry!r}).main()
"""
# A third of the size: one round trip less while a new connection's window is still small (RFC 6928).
# What comes first is read by any Python 3, and says so where that is too old for the rest.
_PACKED = """\
import binascii, sys, zlib
if sys.version_info < {oldest!r}:
    sys.stderr.write("%d.%d\\n" % sys.version_info[:2])
    sys.exit({too_old!r})
exec(zlib.decompress(binascii.a2b_base64({packed!r})))
"""


class PythonMissing(LanpiError):
    """The machine has no python3, or only part of Debian's (python3-minimal)."""

    def __init__(self, what: str, host: Host) -> None:
        super().__init__(
            what,
            host=host.name,
            next_step="Install it on that machine: sudo apt-get install python3",
            exit_code=ExitCode.FAILED,
        )


def bundle(entry: str, arguments: Sequence[str] = ()) -> bytes:
    """A module of lanpi.pi with all that it imports, as one program for ``python3 -``.

    Args:
        entry: the dotted name of a module with a ``main()`` without parameters.
        arguments: what ``main()`` finds as its command line. They are inside the program, where no other user
            of the machine sees them.
    """
    sent = {name: text(name) for name in closure(entry)}
    program = _BOOTSTRAP.format(sources=sent, entry=entry, arguments=list(arguments)).encode()
    packed = binascii.b2a_base64(zlib.compress(program), newline=False)
    return _PACKED.format(oldest=OLDEST, too_old=_TOO_OLD, packed=packed).encode()


def run_program(
    host: Host, entry: str, arguments: Sequence[str] = (), *, root: bool, timeout_seconds: float | None = None
) -> Completed:
    """Run a module of lanpi.pi under a machine's own python3.

    Args:
        host: the machine.
        entry: as of :func:`bundle`.
        arguments: as of :func:`bundle`.
        root: run as root.
        timeout_seconds: end the wait after this long.

    Raises:
        PythonMissing: there is no python3.
        LanpiError: what ``Host.run`` raises. A program that failed is not an error here: look at its exit status.
    """

    def run(program: bytes) -> Completed:
        return host.run(PYTHON, stdin=program, root=root, check=False, timeout_seconds=timeout_seconds)

    done = run(installed_program(entry, arguments))
    if done.exit_status == ELSEWHERE:
        done = run(bundle(entry, arguments))
    if done.exit_status == _COMMAND_NOT_FOUND or (
        done.exit_status != 0 and "python3: command not found" in done.error_text
    ):
        raise PythonMissing("python3 is missing, and lanpi needs it to read the machine", host)
    return done


def stream_program(
    host: Host, entry: str, arguments: Sequence[str], on_output: Callable[[bytes], None], *, root: bool
) -> int:
    """Run a module of lanpi.pi, hand over what it prints as it comes, return its exit status.

    Args:
        host: the machine.
        entry: as of :func:`bundle`.
        arguments: as of :func:`bundle`.
        on_output: is given what the program prints.
        root: run as root.

    Raises:
        LanpiError: what ``Host.stream`` raises.
    """
    status = host.stream(PYTHON, on_output, stdin=installed_program(entry, arguments), root=root)
    if status == ELSEWHERE:
        status = host.stream(PYTHON, on_output, stdin=bundle(entry, arguments), root=root)
    return status


def broken_reading(host: Host, done: Completed, reason: object) -> LanpiError:
    """The error for a probe that failed or printed something unexpected."""
    last_line = done.error_text.strip().rpartition("\n")[2]
    oldest = ".".join(map(str, OLDEST))
    if done.exit_status == _TOO_OLD:
        return LanpiError(
            f"its Python is {last_line}, but lanpi needs {oldest} or later"
            if last_line
            else f"its Python is older than {oldest}, which lanpi needs",
            host=host.name,
            next_step="Upgrade the system to Debian bookworm or trixie (lanpi supports no other), or write a new card",
            exit_code=ExitCode.FAILED,
        )
    missing = _NO_MODULE.match(last_line)
    if missing and not missing[1].startswith("lanpi"):
        return PythonMissing(f"part of Python is missing: {missing[1]}", host)
    return LanpiError(
        f"reading the machine failed: {last_line or reason}",
        host=host.name,
        next_step="Run the same command again; if it fails again, check its memory and disk: free -h, df -h /",
        exit_code=ExitCode.FAILED,
    )
