"""What goes to a Pi: found from imports, complete, and able to run there."""

import json
import subprocess
import sys

import pytest

from lanpi.ship import closure
from lanpi.ship.bundle import bundle

MODULES = [
    f"lanpi.pi.{path.removesuffix('.py').replace('/', '.')}" for path in closure.sources() if "__init__" not in path
]


@pytest.mark.parametrize("name", MODULES)
def test_what_runs_on_a_pi_imports_nothing_else_of_lanpi(name):
    assert name in closure.closure(name)


def test_packages_hold_nothing_that_a_bundle_would_leave_out():
    for path, text in closure.sources().items():
        if path.endswith("__init__.py"):
            assert text.count('"""') == 2
            assert text.strip().endswith('"""')


def test_a_relative_import_or_one_of_the_operators_side_is_refused(monkeypatch):
    texts = {"lanpi.pi.a": "from lanpi.errors import LanpiError", "lanpi.pi.b": "from . import a"}
    monkeypatch.setattr(closure, "text", texts.__getitem__)
    for name, says in {"lanpi.pi.a": "does not go to the Pi", "lanpi.pi.b": "relative"}.items():
        with pytest.raises(ValueError, match=says):
            closure.closure.__wrapped__(name)


def test_a_bundle_runs_under_a_python_that_knows_nothing_of_lanpi(tmp_path):
    path = tmp_path / "lock"
    program = bundle("lanpi.pi.lease", ["acquire", "token", "somebody", "30", str(path)])
    done = subprocess.run([sys.executable, "-IS", "-"], input=program, capture_output=True, check=True)
    assert json.loads(done.stdout)["mine"] is True
    assert json.loads(path.read_text())["holder"] == "somebody"


def test_arguments_are_seen_by_no_other_user(tmp_path):
    program = bundle("lanpi.pi.lease", ["acquire", "token", "a secret", "30", str(tmp_path / "lock")])
    assert b"a secret" not in program  # it is packed; and the command line has only "-"


def test_the_backup_program_is_whole_though_verbs_import_late():
    modules = closure.closure("lanpi.pi.backup.main")
    for name in ("drill", "rehearsal", "restore", "partial", "handover", "leave", "trial", "unit"):
        assert f"lanpi.pi.backup.{name}" in modules
    assert "lanpi.pi.checks.run" not in modules


def test_the_backup_program_that_is_sent_starts_there(tmp_path):
    """Also where no other part of lanpi is: python's own path has only what was sent."""
    for name in closure.closure("lanpi.pi.backup.main"):
        path = tmp_path / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(closure.text(name))
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from lanpi.pi.backup.main import parser; parser()"
    names = [name.removeprefix("lanpi.pi.backup.") for name in closure.closure("lanpi.pi.backup.main")]
    start += "".join(f"; import lanpi.pi.backup.{name}" for name in names if "." not in name)
    subprocess.run([sys.executable, "-IS", "-c", start], check=True)
