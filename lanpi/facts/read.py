"""Read a machine's facts in one round trip."""

import json
import types
import typing
from collections.abc import Sequence
from dataclasses import is_dataclass
from importlib import resources
from typing import Any

from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Facts
from lanpi.hosts.base import Host

# Each after what it imports. The Pi's python3 gets them as one program on its standard input.
PROBE_MODULES = ("source", "recorded", "system", "packages", "storage", "network", "collect")
# apt-helper gives up after five seconds without an answer; a Pi 3 on a slow card needs the rest.
TIMEOUT_SECONDS = 120
_COMMAND_NOT_FOUND = 127

_BOOTSTRAP = """\
import sys, types
sys.dont_write_bytecode = True
package = sys.modules["lanpi_probe"] = types.ModuleType("lanpi_probe")
package.__path__ = []
for name, text in {modules!r}:
    module = types.ModuleType("lanpi_probe." + name)
    module.__package__ = "lanpi_probe"
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(text, "probe/" + name + ".py", "exec"), module.__dict__)
sys.modules["lanpi_probe.collect"].main()
"""


def probe_program() -> bytes:
    """The probe's modules as one program for ``python3 -``."""
    folder = resources.files("lanpi.facts.probe")
    modules = [(name, folder.joinpath(f"{name}.py").read_text("utf-8")) for name in PROBE_MODULES]
    return _BOOTSTRAP.format(modules=modules).encode()


def read_facts(
    host: Host,
    *,
    root: bool,
    check_mirror: bool = False,
    packages: Sequence[str] = (),
    units: Sequence[str] = (),
) -> Facts:
    """Read everything lanpi knows about a machine; changes nothing there.

    Args:
        host: the machine.
        root: read as root; without it, process names, some locks and 0600 files stay unseen.
        check_mirror: also try the package mirror (up to some seconds; ``mirror_reachable`` is
            None without).
        packages: package names whose installed versions go to ``Facts.packages.installed``.
        units: units whose "enabled/active" state goes to ``Facts.units``.

    Raises:
        LanpiError: FAILED when python3 is missing there or the probe broke, and what
            ``Host.run`` raises.
    """
    argv = ["python3", "-", f"--packages={','.join(packages)}", f"--units={','.join(units)}"]
    if check_mirror:
        argv.append("--check-mirror")
    done = host.run(argv, stdin=probe_program(), root=root, check=False, timeout_seconds=TIMEOUT_SECONDS)
    if done.exit_status == _COMMAND_NOT_FOUND or (
        done.exit_status != 0 and "python3: command not found" in done.error_text
    ):
        raise LanpiError(
            "python3 is missing there, and lanpi reads the machine with it",
            host=host.name,
            next_step="Install it there: sudo apt-get install python3",
            exit_code=ExitCode.FAILED,
        )
    try:
        if done.exit_status != 0:
            raise ValueError(f"exit status {done.exit_status}")
        return facts_from_json(done.text)
    except (ValueError, TypeError) as error:
        last_line = done.error_text.strip().rpartition("\n")[2]
        raise LanpiError(
            f"reading the machine failed: {last_line or error}",
            host=host.name,
            next_step="lanpi needs Python 3.11 or later there: python3 --version",
            exit_code=ExitCode.FAILED,
        ) from error


def facts_from_json(text: str) -> Facts:
    """The probe's output as facts.

    Raises:
        ValueError: not JSON, or a value is missing, unknown or of another type.
    """
    facts = _build(Facts, json.loads(text), "facts")
    assert isinstance(facts, Facts)
    return facts


def _build(kind: Any, value: Any, where: str) -> Any:
    """The value as ``kind``, strictly: probe and model travel together, so any difference is a bug."""
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        return _build_record(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        present = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _build(present, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_build(arguments[0], item, where) for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: _build(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is float and type(value) is int:
        return float(value)
    # bool is an int to isinstance, and not one to us.
    if value in arguments if origin is typing.Literal else type(value) is kind:
        return value
    raise ValueError(f"{where}: {value!r} is not {kind}")


def _build_record(kind: type, value: dict[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    if set(hints) != set(value):
        raise ValueError(f"{where}: keys differ: {sorted(set(hints) ^ set(value))}")
    return kind(**{name: _build(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})
