"""Parsers of the probe over texts that no recorded machine has."""

import fcntl
import os
import subprocess
import sys

import pytest

from lanpi.pi.read import system, units
from lanpi.pi.read.packages import deb822_entries, debian_source, one_line_entries
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

DEBIAN = "http://mirror.example/debian"
RASPBERRY = "http://archive.raspberrypi.example/debian"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Types: deb\nURIs: {DEBIAN}\nSuites: trixie\nComponents: main\n", (DEBIAN, "")),
        (
            f"Types: deb deb-src\nURIs: {RASPBERRY} {DEBIAN}\nSuites: trixie trixie-updates\n"
            "Components: main contrib\nSigned-By: /k.pgp\n",
            (DEBIAN, "/k.pgp"),
        ),
        # Disabled, source packages only, another suite, another component, nobody else's archive.
        (f"Enabled: no\nTypes: deb\nURIs: {DEBIAN}\nSuites: trixie\nComponents: main\n", ("", "")),
        (f"Types: deb-src\nURIs: {DEBIAN}\nSuites: trixie\nComponents: main\n", ("", "")),
        (f"Types: deb\nURIs: {DEBIAN}\nSuites: trixie-backports\nComponents: main\n", ("", "")),
        (f"Types: deb\nURIs: {DEBIAN}\nSuites: trixie\nComponents: contrib\n", ("", "")),
        (f"Types: deb\nURIs: {RASPBERRY}\nSuites: trixie\nComponents: main\n", ("", "")),
        # A third party's archive with the same suite comes first and must not win.
        (
            "Types: deb\nURIs: http://apt.vendor.example/\nSuites: trixie\nComponents: main\n\n"
            f"Types: deb\nURIs: {DEBIAN}/\nSuites: trixie\nComponents: main\n",
            (f"{DEBIAN}/", ""),
        ),
        # A key in the file itself keeps its lines as apt wants them.
        (
            f"Types: deb\nURIs: {DEBIAN}\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN\n .\n AbC=\n",
            (DEBIAN, "\n -----BEGIN\n .\n AbC="),
        ),
        (
            "Types: deb\n# a comment inside\nURIs: mirror+file:///etc/apt/mirrors/debian.list\n"
            "Suites: trixie\nComponents: main\n",
            ("mirror+file:///etc/apt/mirrors/debian.list", ""),
        ),
    ],
)
def test_debian_source_from_deb822(text: str, expected: tuple[str, str]) -> None:
    assert debian_source(deb822_entries(text), "trixie") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"deb {DEBIAN} trixie main # comment", (DEBIAN, "")),
        (f"deb [arch=arm64 signed-by=/k.gpg] {DEBIAN} trixie contrib main", (DEBIAN, "/k.gpg")),
        (f"# deb {DEBIAN} trixie main", ("", "")),
        (f"deb-src {DEBIAN} trixie main", ("", "")),
        (f"deb {DEBIAN} trixie contrib # main", ("", "")),
    ],
)
def test_debian_source_from_one_line(line: str, expected: tuple[str, str]) -> None:
    assert debian_source(one_line_entries(line), "trixie") == expected


def test_the_states_of_units_by_their_names() -> None:
    text = (
        "Id=ssh.service\nLoadState=loaded\nUnitFileState=enabled\nActiveState=active\n\n"
        "Id=no.service\nLoadState=not-found\nUnitFileState=\nActiveState=inactive\n\n"
        "Id=off.service\nLoadState=masked\nUnitFileState=masked\nActiveState=inactive\n\n"
        "Id=ssh.service\nLoadState=loaded\nUnitFileState=enabled\nActiveState=active\n"
    )
    found = units.blocks(text)
    assert units.states(found) == {
        "ssh.service": "enabled/active",
        "no.service": "not-found/inactive",
        "off.service": "masked/inactive",
    }
    assert len(found) == 3, "two names may lead to one unit"
    assert [units.is_there(block) for block in found] == [True, False, True]
    assert units.blocks("") == []


def test_lock_holder_is_the_process_that_holds_it(tmp_path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    assert Machine().lock_holder(str(lock)) is None
    assert Machine().lock_holder(str(tmp_path / "none")) is None
    program = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert Machine().lock_holder(str(lock)) == holder.pid
        assert Machine()._lock_holder_by_inode(str(lock)) == holder.pid
        holder.communicate()
    assert Machine().lock_holder(str(lock)) is None


def test_lock_of_another_kind_is_no_dpkg_lock(tmp_path) -> None:
    lock = tmp_path / "lock"
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert Machine()._lock_holder_by_inode(str(lock)) is None
    os.close(descriptor)


@pytest.mark.parametrize(
    ("said", "is_virtual", "is_container"),
    [
        (None, False, False),  # no systemd
        ("none", False, False),
        ("qemu", True, False),
        ("kvm", True, False),
        ("vm-other", True, False),
        ("systemd-nspawn", True, True),
        ("lxc", True, True),
        ("container-other", True, True),
    ],
)
def test_a_virtual_machine_is_no_container(said: str | None, is_virtual: bool, is_container: bool, tmp_path) -> None:
    (tmp_path / "machine.json").write_text('{"cores": 1}')
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 1000 kB\n")
    if said is not None:
        program = tmp_path / "commands/systemd-detect-virt"
        program.mkdir(parents=True)
        (program / ("no-arguments.failed" if said == "none" else "no-arguments")).write_text(f"{said}\n")
    found = system.hardware(Recorded(str(tmp_path)))
    assert (found["is_virtual"], found["is_container"]) == (is_virtual, is_container)
