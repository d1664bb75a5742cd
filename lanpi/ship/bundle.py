"""Run a module of lanpi.pi on a machine that has nothing but Python: one program on its standard input."""

import binascii
import zlib
from collections.abc import Callable, Sequence

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed, Host
from lanpi.ship.closure import closure, text
from lanpi.ship.installed import ELSEWHERE, installed_program

_COMMAND_NOT_FOUND = 127

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
_PACKED = "import binascii, zlib\nexec(zlib.decompress(binascii.a2b_base64({packed!r})))\n"


def bundle(entry: str, arguments: Sequence[str] = ()) -> bytes:
    """A module of lanpi.pi with all that it imports, as one program for ``python3 -``.

    Args:
        entry: the dotted name of a module with a ``main()`` without parameters.
        arguments: what ``main()`` finds as its command line. They are inside the program, where no other user
            of the machine sees them.
    """
    sent = {name: text(name) for name in closure(entry)}
    program = _BOOTSTRAP.format(sources=sent, entry=entry, arguments=list(arguments)).encode()
    return _PACKED.format(packed=binascii.b2a_base64(zlib.compress(program), newline=False)).encode()


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
        LanpiError: FAILED when there is no python3, and what ``Host.run`` raises. A program that
            failed is not an error here: look at its exit status.
    """

    def run(program: bytes) -> Completed:
        return host.run(PYTHON, stdin=program, root=root, check=False, timeout_seconds=timeout_seconds)

    done = run(installed_program(entry, arguments))
    if done.exit_status == ELSEWHERE:
        done = run(bundle(entry, arguments))
    if done.exit_status == _COMMAND_NOT_FOUND or (
        done.exit_status != 0 and "python3: command not found" in done.error_text
    ):
        raise LanpiError(
            "python3 is missing, and lanpi needs it to read the machine",
            host=host.name,
            next_step="Install it on that machine: sudo apt-get install python3",
            exit_code=ExitCode.FAILED,
        )
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
    return LanpiError(
        f"reading the machine failed: {last_line or reason}",
        host=host.name,
        next_step="lanpi needs Python 3.11 or later on that machine; check with: python3 --version",
        exit_code=ExitCode.FAILED,
    )
