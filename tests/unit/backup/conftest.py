"""The Pi's backup program, imported from the templates: they have no Jinja in them."""

import importlib.util
import sys
import types
from pathlib import Path

import pytest

from lanpi import paths

FOLDER = paths.templates() / "usr/lib/lanpi/lanpi_backup"


class _Finder:
    """Finds lanpi_backup.NAME in NAME.py.j2."""

    def find_spec(self, name, path=None, target=None):
        package, _, module = name.partition(".")
        file = FOLDER / f"{module}.py.j2"
        if package != "lanpi_backup" or not file.is_file():
            return None
        loader = _Loader(file)
        return importlib.util.spec_from_loader(name, loader, origin=str(file))


class _Loader:
    def __init__(self, file: Path):
        self._file = file

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(compile(self._file.read_text(), str(self._file), "exec"), module.__dict__)


def _forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "lanpi_backup"]:
        del sys.modules[name]


@pytest.fixture
def program(tmp_path):
    """Import a module of the program: ``program("content")``; what it keeps on the Pi lands in tmp_path."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    package = types.ModuleType("lanpi_backup")
    package.__path__ = [str(FOLDER)]
    sys.modules["lanpi_backup"] = package
    common = importlib.import_module("lanpi_backup.common")
    common.FOLDER = tmp_path / "backup"
    common.STAGE = common.FOLDER / "stage"
    common.HANDED = common.FOLDER / "handed"
    common.STATUS = common.FOLDER / "status.json"
    common.RUN = tmp_path / "run"
    common.RESERVE_BYTES = 0
    yield lambda name: importlib.import_module(f"lanpi_backup.{name}")
    sys.meta_path.remove(finder)
    _forget()
