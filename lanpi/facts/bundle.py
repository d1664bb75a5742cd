"""Run modules of lanpi on a machine that has nothing but Python: one program on its standard input."""

import binascii
import zlib
from collections.abc import Sequence
from importlib import resources

from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed, Host

_COMMAND_NOT_FOUND = 127

_BOOTSTRAP = """\
import sys, types
sys.dont_write_bytecode = True
def place(name, module):
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        if parent not in sys.modules:
            package = types.ModuleType(parent)
            package.__path__ = []
            place(parent, package)
        setattr(sys.modules[parent], child, module)
for name, text in {modules!r}:
    module = types.ModuleType(name)
    module.__package__ = name.rpartition(".")[0]
    place(name, module)
    exec(compile(text, name.replace(".", "/") + ".py", "exec"), module.__dict__)
sys.modules[{entry!r}].main()
"""
# A third of the size: one round trip less while a new connection's window is still small (RFC 6928).
_PACKED = "import binascii, zlib\nexec(zlib.decompress(binascii.a2b_base64({packed!r})))\n"


def bundle(modules: Sequence[str]) -> bytes:
    """Modules as one program for ``python3 -``, which ends with ``main()`` of the last one.

    Args:
        modules: dotted names, each after what it imports. They use the standard library of
            Python 3.11 and each other, and are found under their own names there.
    """
    sources = []
    for name in modules:
        package, _, module = name.rpartition(".")
        sources.append((name, resources.files(package).joinpath(f"{module}.py").read_text("utf-8")))
    program = _BOOTSTRAP.format(modules=sources, entry=modules[-1]).encode()
    return _PACKED.format(packed=binascii.b2a_base64(zlib.compress(program), newline=False)).encode()


def run_program(
    host: Host, program: bytes, arguments: Sequence[str], *, root: bool, timeout_seconds: float
) -> Completed:
    """Run a program under the machine's own python3.

    Args:
        host: the machine.
        program: what :func:`bundle` made.
        arguments: its command line; no secrets.
        root: run as root.
        timeout_seconds: end the wait after this long.

    Raises:
        LanpiError: FAILED when there is no python3, and what ``Host.run`` raises. A program that
            failed is not an error here: look at its exit status.
    """
    # Without site (-S), which the standard library does not need, python3 starts in 12 instead of 20 ms on a
    # virtual Pi (ten runs of each); -I keeps what is in the login's folder out of it.
    done = host.run(
        ["python3", "-IS", "-", *arguments], stdin=program, root=root, check=False, timeout_seconds=timeout_seconds
    )
    if done.exit_status == _COMMAND_NOT_FOUND or (
        done.exit_status != 0 and "python3: command not found" in done.error_text
    ):
        raise LanpiError(
            "python3 is missing there, and lanpi reads the machine with it",
            host=host.name,
            next_step="Install it there: sudo apt-get install python3",
            exit_code=ExitCode.FAILED,
        )
    return done


def broken_reading(host: Host, done: Completed, reason: object) -> LanpiError:
    """The error for a probe that ended badly or said what nobody understands."""
    last_line = done.error_text.strip().rpartition("\n")[2]
    return LanpiError(
        f"reading the machine failed: {last_line or reason}",
        host=host.name,
        next_step="lanpi needs Python 3.11 or later there: python3 --version",
        exit_code=ExitCode.FAILED,
    )
