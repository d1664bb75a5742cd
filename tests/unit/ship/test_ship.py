"""What goes to a Pi: found from imports, complete, and able to run there."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lanpi.hosts.base import Completed
from lanpi.ship import closure, installed
from lanpi.ship.bundle import bundle, run_program

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


@pytest.fixture
def pi_python(tmp_path):
    """lanpi.pi as an install leaves it."""
    top = tmp_path / "python"
    for path, text in closure.sources().items():
        file = top / "lanpi/pi" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (top / "lanpi/pi" / installed.SEAL).write_text(f"{installed.digest()}\n")
    return top


def run_installed(top, lock):
    arguments = ["acquire", "token", "somebody", "30", str(lock)]
    program = installed.installed_program("lanpi.pi.lease", arguments, folder=str(top))
    return subprocess.run([sys.executable, "-IS", "-"], input=program, capture_output=True, check=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="what is not root's is not run")
def test_what_is_installed_in_the_same_version_is_run(pi_python):
    with tempfile.TemporaryDirectory(dir="/var/lib") as folder:  # /tmp is everybody's
        top = shutil.move(pi_python, f"{folder}/python")
        done = run_installed(top, Path(folder, "lock"))
        assert json.loads(done.stdout)["mine"] is True
        for spoil in (
            lambda: Path(top, "lanpi/pi", installed.SEAL).write_text("another\n"),
            lambda: Path(top, "lanpi/pi", installed.SEAL).unlink(),
        ):
            spoil()
            assert run_installed(top, Path(folder, "lock")).returncode == installed.ELSEWHERE


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give files away")
@pytest.mark.parametrize("path", ["lanpi/pi/lease.py", "lanpi/pi", "lanpi/pi/read", "."])
@pytest.mark.parametrize("spoil", [lambda path: os.chown(path, 65534, 0), lambda path: path.chmod(0o775)])
def test_what_somebody_else_could_have_written_is_not_run(pi_python, path, spoil):
    with tempfile.TemporaryDirectory(dir="/var/lib") as folder:
        top = Path(shutil.move(pi_python, f"{folder}/python"))
        spoil(top / path)
        assert run_installed(top, Path(folder, "lock")).returncode == installed.ELSEWHERE
        assert not Path(folder, "lock").exists()


def test_a_machine_without_it_is_sent_the_program():
    class Remote:
        """Has nothing of lanpi."""

        def __init__(self):
            self.programs = []

        def run(self, argv, *, stdin=b"", root=False, check=True, timeout_seconds=None):
            self.programs.append(stdin)
            status = installed.ELSEWHERE if len(self.programs) == 1 else 0
            return Completed("python3", status, b"done", b"")

    host = Remote()
    assert run_program(host, "lanpi.pi.lease", ["renew"], root=True).stdout == b"done"
    assert host.programs == [
        installed.installed_program("lanpi.pi.lease", ["renew"]),
        bundle("lanpi.pi.lease", ["renew"]),
    ]
    assert len(host.programs[0]) < 1500  # in the first packet of a connection


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
