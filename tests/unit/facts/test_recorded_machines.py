"""The probe and preflight over every recorded machine."""

import json
import subprocess
import sys

import pytest

from lanpi.pi.facts import collect
from lanpi.pi.read.recorded import Recorded

from .machines import FOLDER, MACHINES, RecordedMachine

each_machine = pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)


@each_machine
def test_probe_says_what_is_expected(machine: RecordedMachine) -> None:
    expected = json.loads((machine.folder / "facts.json").read_text("utf-8"))
    assert machine.probed() == expected


@each_machine
def test_preflight_says_what_is_expected(machine: RecordedMachine) -> None:
    assert machine.report() == (machine.folder / "findings.txt").read_text("utf-8")


def test_recording_without_an_output_that_is_asked_for_is_an_error(tmp_path) -> None:
    (tmp_path / "machine.json").write_text("{}")
    (tmp_path / "commands" / "vcgencmd").mkdir(parents=True)
    source = Recorded(str(tmp_path))
    assert source.command("iw", "dev") is None
    with pytest.raises(LookupError, match="vcgencmd get_throttled"):
        source.command("vcgencmd", "get_throttled")


def test_command_line_reads_a_recorded_machine() -> None:
    root = FOLDER / "pi5-8g-trixie" / "tree"
    done = subprocess.run(
        [sys.executable, "-m", "lanpi.pi.facts", "--root", str(root), "--packages", "rpi-swap,nothing"],
        capture_output=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert told["packages"]["installed"] == {"rpi-swap": "1.0-1"}
    assert told["packages"]["mirror_reachable"] is None
    expected = collect(Recorded(str(root)), package_names=["rpi-swap"], unit_names=[], check_mirror=False)
    assert told == expected
