"""The Pi's backup program, with what it keeps on the Pi in a folder of the test's."""

import importlib
import sys

import pytest

PACKAGE = "lanpi.pi.backup"


def _forget():
    package = importlib.import_module(PACKAGE)
    for name in [name for name in sys.modules if name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
        # "from package import module" takes what the package has before it looks for the module.
        vars(package).pop(name.rpartition(".")[2], None)


@pytest.fixture
def program(tmp_path):
    """Import a module of the program: ``program("content")``; what it keeps on the Pi lands in tmp_path."""
    _forget()
    common = importlib.import_module(f"{PACKAGE}.common")
    common.FOLDER = tmp_path / "backup"
    common.STAGE = common.FOLDER / "stage"
    common.HANDED = common.FOLDER / "handed"
    common.STATUS = common.FOLDER / "status.json"
    common.RUN = tmp_path / "run"
    common.RESERVE_BYTES = 0
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    _forget()
