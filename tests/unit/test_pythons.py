"""Which Pythons lanpi runs under is said in several places; all say the same."""

import re
import subprocess
import tomllib
from itertools import groupby
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lanpi.ship.bundle import OLDEST as OLDEST_ON_A_PI

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DECLARED = PROJECT["project"]
PREFIX = "Programming Language :: Python :: "
VERSIONS = [each.removeprefix(PREFIX) for each in DECLARED["classifiers"] if each.startswith(PREFIX)]
OLDEST = VERSIONS[0]
PINS = [
    Requirement(line.removesuffix("\\"))
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line[:1].isalpha()
]


def minor(version: str) -> tuple[int, int]:
    first, second = version.split(".")
    return int(first), int(second)


def test_the_classifiers_have_no_gap():
    assert [minor(version) for version in VERSIONS] == [(3, 11 + step) for step in range(len(VERSIONS))]
    assert len(VERSIONS) >= 4


def test_the_oldest_is_the_same_everywhere():
    # No upper bound: pip would offer an older lanpi instead of saying so.
    assert DECLARED["requires-python"] == f">={OLDEST}"
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{OLDEST.replace('.', '')}"
    assert PROJECT["tool"]["mypy"]["python_version"] == OLDEST
    assert minor(OLDEST) == OLDEST_ON_A_PI


@pytest.mark.parametrize("path", [Path("README.md"), *sorted(Path("docs").rglob("*.md")), Path("lanpi/pi/__init__.py")])
def test_the_texts_name_no_other(path):
    told = re.findall(r"Python (3\.\d+)(?!\.?\d)( to| or later|$|[^\d])", (ROOT / path).read_text())
    assert all(version == OLDEST and " to" not in after for version, after in told), told


@pytest.mark.parametrize("path", ["README.md", "docs/how-to/install-lanpi.md"])
def test_the_user_is_told_what_is_needed_and_tested(path):
    assert f"Python {OLDEST} or later (tested up to {VERSIONS[-1]})" in (ROOT / path).read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_lock_has_one_pin_of_each_package_for_each_python(version):
    environment = {"python_version": version, "python_full_version": f"{version}.9"}
    for name, pins in groupby(sorted(PINS, key=lambda pin: pin.name), key=lambda pin: pin.name):
        chosen = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)]
        assert len(chosen) <= 1, name
        for each in map(Requirement, DECLARED["dependencies"]):
            if each.name == name and (each.marker is None or each.marker.evaluate(environment)):
                assert str(chosen[0].specifier).removeprefix("==") in each.specifier
    assert {Requirement(text).name for text in DECLARED["dependencies"]} <= {pin.name for pin in PINS}


def pick(folder: Path, pythons: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What scripts/lib.sh picks where these commands are these versions."""
    for name, version in pythons.items():
        # It runs what it is asked under another version number.
        number = tuple(int(part) for part in version.split("."))
        path = folder / name
        path.write_text(
            f'#!/bin/sh\n[ "$1" != -V ] || {{ echo "Python {version}"; exit 0; }}\n'
            f'exec /usr/bin/env -u PATH "{REAL}" -c "import sys; sys.version_info = {number}; exec(sys.argv[1])" "$2"\n'
        )
        path.chmod(0o755)
    script = f"PATH={folder}; . {ROOT}/scripts/lib.sh; find_python"
    return subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)


REAL = subprocess.run(["sh", "-c", "command -v python3"], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("version", [*VERSIONS, "3.15", "3.20"])
def test_the_scripts_take_each(version, tmp_path):
    assert pick(tmp_path, {"python3": f"{version}.1"}).stdout == "python3\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_scripts_find_each_beside_an_older_one(version, tmp_path):
    assert pick(tmp_path, {"python3": "3.9.2", f"python{version}": f"{version}.1"}).stdout == f"python{version}\n"


def test_the_scripts_say_what_is_needed(tmp_path):
    done = pick(tmp_path, {"python3": "3.9.2"})
    assert (done.returncode, done.stderr) == (
        6,
        f"Python {OLDEST} or later is needed; the python3 here is Python 3.9.2.\n",
    )
