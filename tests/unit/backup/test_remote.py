"""What the program on the Pi says becomes steps, results and errors here."""

import json

import pytest

from lanpi.backup.remote import Program
from lanpi.backup.sheet import recovery_sheet
from lanpi.errors import ExitCode, LanpiError


class FakeHost:
    name = "pi@pi.local"

    def __init__(self, status, *events):
        self._status = status
        self._output = "".join(json.dumps(event) + "\n" for event in events).encode()
        self.argv = []

    def stream(self, argv, on_output, *, stdin=b"", root=False):
        assert root
        self.argv = list(argv)
        for start in range(0, len(self._output), 7):  # pieces that end anywhere
            on_output(self._output[start : start + 7])
        return self._status


class Steps(list):
    def begin(self, step):
        self.append(step)

    def end(self, detail=""):
        self.append("end")

    def note(self, text):
        self.append(f"note {text}")

    def advance(self, percent):
        self.append(percent)


def test_steps_notes_and_the_result():
    steps = Steps()
    host = FakeHost(
        *(0, {"event": "step", "step": "Saving"}, {"event": "progress", "percent": 42}),
        *({"event": "note", "text": "slow"}, {"event": "result", "bytes": 5}),
    )
    assert Program(host, steps).run("follow") == {"bytes": 5}
    assert steps == ["Saving", 42, "note slow", "end"]


def test_a_quick_verb_says_no_step():
    steps = Steps()
    assert Program(FakeHost(0, {"event": "result", "rows": []}), steps).run("list") == {"rows": []}
    assert steps == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [("refused", ExitCode.REFUSED), ("blocked", ExitCode.BLOCKED), ("failed", ExitCode.FAILED)],
)
def test_errors_keep_their_kind(kind, code):
    error = {"event": "error", "what": "the key does not open it", "next_step": "Take another", "kind": kind}
    with pytest.raises(LanpiError, match=r"pi@pi\.local: the key does not open it\. Take another") as raised:
        Program(FakeHost(1, error), Steps()).run("verify")
    assert raised.value.exit_code is code


def test_a_mistake_in_the_program_brings_its_traceback_for_debug():
    error = {"event": "error", "what": "internal error: KeyError('x')", "kind": "failed", "traceback": "File backup:1"}
    with pytest.raises(LanpiError) as raised:
        Program(FakeHost(1, error), Steps()).run("list")
    assert "File backup:1" in str(raised.value.__cause__)
    assert "File" not in str(raised.value)


def test_a_pi_without_lanpi_and_a_program_that_dies():
    with pytest.raises(LanpiError, match="backups are not set up on this Pi"):
        Program(FakeHost(127), Steps()).run("list")
    with pytest.raises(LanpiError, match="ended with exit status 137"):
        Program(FakeHost(137), Steps()).run("list")


def test_the_sheet_has_key_places_and_command():
    sheet = recovery_sheet("chat.example.org", ["usb:1A2B-3C4D", "sftp:pi@nas:/b"], "s3cr3t")
    for text in ("chat.example.org", "s3cr3t", "sftp:pi@nas:/b", "lanpi restore --from usb:1A2B-3C4D --key-file"):
        assert text in sheet
    assert "Plug the disk" in sheet
    assert "█" in sheet
    assert "\x1b" not in sheet


def test_a_sheet_says_when_no_place_outlives_the_card():
    sheet = recovery_sheet("chat.example.org", [], "s3cr3t")
    assert "Places: NONE YET" in sheet
    assert "lanpi backup add" in sheet
    assert "lanpi restore" not in sheet


def test_a_trial_has_no_more_rights_than_the_nightly_backup():
    host = FakeHost(0, {"event": "result"})
    Program(host, Steps(), ("/usr/bin/python3", "/run/x/backup")).run("place-try", "/srv", confined=True)
    assert host.argv[0] == "systemd-run"
    assert "ProtectHome=read-only" in host.argv
    assert host.argv[-4:] == ["/usr/bin/python3", "/run/x/backup", "place-try", "/srv"]
