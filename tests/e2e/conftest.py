"""Virtual Pis for the end-to-end tests: made on demand, always taken down."""

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanpi import virtual
from lanpi.errors import LanpiError
from lanpi.virtual import VirtualPi
from lanpi.virtual.record import load
from lanpi.virtual.requirements import check_requirements

REQUIRED = "LANPI_E2E_REQUIRED"
MakePi = Callable[..., VirtualPi]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def e2e_machine() -> None:
    """This machine can run virtual Pis; else skip, or fail where the tests are required to run."""
    try:
        check_requirements()
    except LanpiError as error:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED}=1 and {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def run_prefix() -> str:
    """Sets this run's Pis (and this worker's) apart from everybody else's."""
    return "t" + secrets.token_hex(2)


@pytest.fixture(scope="module")
def virtual_pi(e2e_machine: None, run_prefix: str) -> Iterator[MakePi]:
    """Make a virtual Pi: ``virtual_pi("label", model="3b+")``; taken down at the end of the file.

    Some twenty at once are more than Linux lets one user watch files with (fs.inotify.max_user_instances is 128, and
    each systemd takes several), and each costs the others processor time.

    The label tells Pis apart (up to 8 letters, digits, hyphens); options are those of ``virtual.up``.
    Take one down earlier with ``virtual.down(pi.name)`` where many are needed.
    """
    names: list[str] = []

    def make(label: str, **options: object) -> VirtualPi:
        name = f"{run_prefix}-{re.sub(r'[^a-z0-9-]', '-', label.lower())[:9]}".rstrip("-")
        names.append(name)
        return virtual.up(name, **options)  # type: ignore[arg-type]

    yield make
    failures = []
    for name in dict.fromkeys(names):
        try:
            if (pi := load(name)) is not None:
                if pi.running:
                    virtual.kill(name)  # nobody needs what is on it: no services to wait for
                virtual.down(name)
        except LanpiError as error:  # the others must go down all the same
            failures.append(f"{name}: {error}")
    assert not failures, failures


@pytest.fixture(scope="session")
def on_pi() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a shell line on a virtual Pi over SSH as its user, or with sudo: ``on_pi(pi, "id", root=True)``."""

    def run(
        pi: VirtualPi, line: str, *, root: bool = False, check: bool = True, timeout_seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        command = f"sudo -S -p '' -- sh -c {_quote(line)}" if root else line
        done = subprocess.run(
            ["ssh", "-q", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", pi.key_path,
             "-o", f"UserKnownHostsFile={pi.known_hosts}", f"{pi.user}@{pi.address}", command],
            input=pi.password + "\n" if root else "",
            capture_output=True, text=True, timeout=timeout_seconds, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{line!r} on {pi.name}: {done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def lanpi() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the lanpi command as a user would: ``lanpi("virtual", "list", "--json")``."""

    def run(*arguments: str, timeout_seconds: float = 300, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lanpi", *arguments],
            input=stdin, capture_output=True, text=True, timeout=timeout_seconds, check=False,
        )  # fmt: skip

    return run


def _quote(line: str) -> str:
    return "'" + line.replace("'", "'\\''") + "'"
