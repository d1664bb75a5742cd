"""Which modules of lanpi.pi a program needs, computed from its imports."""

import ast
from functools import cache
from importlib import resources
from pathlib import PurePosixPath

ROOT = "lanpi.pi"


def sources() -> dict[str, str]:
    """Every module of lanpi.pi: path below ``lanpi/pi`` (``read/system.py``) -> its text."""
    found: dict[str, str] = {}
    waiting = [(resources.files(ROOT), PurePosixPath())]
    while waiting:
        folder, below = waiting.pop()
        for entry in folder.iterdir():
            if entry.is_dir() and entry.name != "__pycache__":
                waiting.append((entry, below / entry.name))
            elif entry.name.endswith(".py"):
                found[str(below / entry.name)] = entry.read_text("utf-8")
    return dict(sorted(found.items()))


@cache
def closure(entry: str) -> tuple[str, ...]:
    """The modules that a module imports, directly and through others, itself included.

    Args:
        entry: a dotted name below lanpi.pi.

    Returns:
        Dotted names in alphabetical order; packages are not among them, since theirs are empty but for a docstring.

    Raises:
        ValueError: a module imports something of lanpi that does not go to the Pi.
    """
    found: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = text(name)
            waiting += _imported(name, found[name])
    return tuple(sorted(found))


def text(name: str) -> str:
    """A module's source text."""
    package, _, module = name.rpartition(".")
    return resources.files(package).joinpath(f"{module}.py").read_text("utf-8")


def _imported(name: str, source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] == "lanpi"]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{name}: a relative import; write lanpi.pi's names in full")
            module = node.module or ""
            if module.split(".")[0] == "lanpi":
                found += [f"{module}.{alias.name}" if _is_package(module) else module for alias in node.names]
    outside = [module for module in found if not module.startswith(f"{ROOT}.")]
    if outside:
        raise ValueError(f"{name} imports {', '.join(outside)}, which does not go to the Pi")
    return found


def _is_package(name: str) -> bool:
    parent, _, last = name.rpartition(".")
    return not parent or resources.files(parent).joinpath(last).is_dir()
