"""read_facts: the probe piped to a real python3, and what goes wrong."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from lanpi.errors import LanpiError
from lanpi.facts.read import facts_from_json, read_facts
from lanpi.hosts.base import Completed
from lanpi.ship.bundle import PythonMissing

from .machines import MACHINES


class ThisMachine:
    """Runs what it is given here, or answers with what it was told to."""

    name = "pi@here"

    def __init__(self, answer: tuple[int, bytes, bytes] | None = None) -> None:
        self._answer = answer
        self.calls: list[tuple[list[str], bool]] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        root: bool = False,
        check: bool = True,
        timeout_seconds: float | None = None,
    ) -> Completed:
        assert not check
        assert timeout_seconds
        self.calls.append((list(argv), root))
        if self._answer:
            return Completed(" ".join(argv), *self._answer)
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=timeout_seconds)
        return Completed(" ".join(argv), done.returncode, done.stdout, done.stderr)


def test_a_program_reads_this_machine() -> None:
    host = ThisMachine()
    facts = read_facts(host, root=False, packages=["dpkg", "no-such-package"], units=["no-such.service"])
    # The first asks for the program that an install puts there; where that is the same version, it is the only one.
    assert 1 <= len(host.calls) <= 2
    assert facts.hardware.memory_bytes > 0
    assert facts.hardware.cores > 0
    assert facts.storage.root_total_bytes >= facts.storage.root_free_bytes > 0
    assert "no-such-package" not in facts.packages.installed
    assert facts.packages.mirror_reachable is None


def test_missing_python_says_how_to_get_it() -> None:
    with pytest.raises(LanpiError) as caught:
        read_facts(ThisMachine((127, b"", b"bash: line 1: python3: command not found\n")), root=True)
    assert str(caught.value) == (
        "pi@here: python3 is missing, and lanpi needs it to read the machine. "
        "Install it on that machine: sudo apt-get install python3"
    )


def test_a_part_of_python_says_how_to_get_the_rest() -> None:
    said = b"Traceback (most recent call last):\nModuleNotFoundError: No module named 'json'\n"
    with pytest.raises(PythonMissing) as caught:
        read_facts(ThisMachine((1, b"", said)), root=True)
    assert str(caught.value) == (
        "pi@here: part of Python is missing: json. Install it on that machine: sudo apt-get install python3"
    )


def test_a_module_of_lanpi_that_is_missing_is_no_lack_of_the_pi() -> None:
    said = b"ModuleNotFoundError: No module named 'lanpi.pi.new'\n"
    with pytest.raises(LanpiError) as caught:
        read_facts(ThisMachine((1, b"", said)), root=True)
    assert not isinstance(caught.value, PythonMissing)
    assert "lanpi.pi.new" in caught.value.what


def test_an_older_python_is_told_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lanpi.ship.bundle.OLDEST", (3, 99))
    with pytest.raises(LanpiError) as caught:
        read_facts(ThisMachine(), root=False)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert caught.value.what == f"its Python is {here}, but lanpi needs 3.99 or later"


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ((1, b"", b"Traceback\nSyntaxError: invalid syntax\n"), "SyntaxError: invalid syntax"),
        ((0, b"Welcome!\n{}", b""), "Expecting value: line 1 column 1 (char 0)"),
        ((0, b"{}", b""), "facts: keys differ"),
    ],
)
def test_broken_answer_is_told(answer: tuple[int, bytes, bytes], seen: str) -> None:
    with pytest.raises(LanpiError) as caught:
        read_facts(ThisMachine(answer), root=True)
    assert seen in caught.value.what


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('"cores": 4', '"cores": "4"', "facts.hardware.cores"),
        ('"cores": 4', '"cores": true', "facts.hardware.cores"),
        ('"kind": "nvme"', '"kind": "tape"', "facts.storage.kind"),
        ('"hostname": "raspberrypi"', '"hostname": null', "facts.hostname"),
        ('"cores": 4', '"kernels": 4', "facts.hardware: keys differ"),
    ],
)
def test_json_is_held_against_the_model(old: str, new: str, where: str) -> None:
    text = (MACHINES["pi5-8g-trixie"].folder / "facts.json").read_text("utf-8")
    assert old in text
    with pytest.raises(ValueError, match=where):
        facts_from_json(text.replace(old, new))
