"""What users see: results apart from progress, plain lines without a terminal, questions that may fail."""

import io
import os
import pty
import select
import subprocess
import sys
import time

import pytest

from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

Capture = pytest.CaptureFixture[str]


def test_results_and_progress_go_different_ways(capsys: Capture) -> None:
    terminal = Terminal()
    terminal.result("[bold]as it is[/bold]")
    terminal.note("[red]note[/red]")
    terminal.warn("careful")
    terminal.error("one host failed")
    terminal.mark("blocker", "no space", "free some")
    out, err = capsys.readouterr()
    assert out == "[bold]as it is[/bold]\n"
    assert err == "[red]note[/red]\nWarning: careful\nError: one host failed\n  ✗ no space\n      free some\n"


def test_json_is_one_line_with_keys_in_order(capsys: Capture) -> None:
    Terminal(json_output=True).json({"b": "ü", "a": [1]})
    assert capsys.readouterr().out == '{"a": [1], "b": "ü"}\n'


def test_a_table_into_a_pipe_keeps_a_row_in_a_line(capsys: Capture) -> None:
    Terminal().table(("NAME", "VALUE"), [("a", "x" * 200), ("long name", "[y]")], title="All")
    assert capsys.readouterr().out == f"All\nNAME       VALUE\na          {'x' * 200}\nlong name  [y]\n"


def test_an_empty_table_has_its_header(capsys: Capture) -> None:
    Terminal().table(("NAME", "VALUE"), [])
    assert capsys.readouterr().out == "NAME  VALUE\n"


def test_long_lines_are_not_broken_in_a_pipe(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    Terminal().result("word " * 30)
    assert capsys.readouterr().out == "word " * 30 + "\n"


def test_steps_without_a_terminal_are_lines(capsys: Capture) -> None:
    with Terminal().steps() as steps:
        steps.start("First")
        steps.done("3 packages")
        steps.start("Second")
        steps.start("Third")
        steps.fail("no space")
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "First …\n✓ First: 3 packages  0.0 s\nSecond …\n✓ Second  0.0 s\nThird …\n✗ Third: no space  0.0 s\n"
    )


def test_a_step_that_an_error_ends_is_not_ticked(capsys: Capture) -> None:
    def work() -> None:
        with Terminal().steps() as steps:
            steps.start("Work")
            raise LanpiError("broken")

    with pytest.raises(LanpiError):
        work()
    assert capsys.readouterr().err == "Work …\n✗ Work: not finished  0.0 s\n"


def test_a_question_without_a_terminal_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(LanpiError, match="Remove everything") as error:
        Terminal().confirm("Remove everything?")
    assert error.value.exit_code is ExitCode.BAD_INPUT
    assert "--yes" in error.value.next_step
    assert Terminal(yes=True).confirm("Remove everything?") is True


def test_yes_does_not_trust_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert Terminal(yes=True).confirm_or_none("Trust it?") is None
    assert Terminal(yes=True).ask_secret("Password: ") is None


class _Typed(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "default", "answer"),
    [("y\n", False, True), ("YES\n", False, True), ("\n", False, False), ("\n", True, True), ("what\n", True, False)],
)
def test_answers(typed: str, default: bool, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Typed(typed))
    assert Terminal().confirm("Sure?", default=default) is answer


def test_end_of_input_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Typed(""))
    with pytest.raises(KeyboardInterrupt):
        Terminal().confirm("Sure?", default=True)


def _on_a_terminal(code: str, **environment: str) -> str:
    """What a program shows on a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **environment},
    ) as process:
        os.close(theirs)
        shown, deadline = b"", time.monotonic() + 30
        while time.monotonic() < deadline:
            if select.select([ours], [], [], 1)[0]:
                try:
                    data = os.read(ours, 65536)
                except OSError:  # the other end is closed: Linux says EIO
                    break
                shown += data
        os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


STEPS = """
import time
from lanpi.cli.terminal import Terminal
terminal = Terminal()
with terminal.steps() as steps:
    steps.start("Working")
    time.sleep(0.3)  # long enough for the spinner to be drawn
    terminal.note("meanwhile")
    steps.done("fine")
"""


def test_on_a_terminal_a_step_shows_its_time_while_it_runs() -> None:
    shown = _on_a_terminal(STEPS)
    assert "Working" in shown.partition("✓")[0]
    assert "0 s" in shown.partition("✓")[0]
    assert "meanwhile" in shown
    assert "\033[32m✓" in shown


def test_no_color_leaves_no_colours() -> None:
    shown = _on_a_terminal(STEPS, NO_COLOR="1")
    assert "✓ " in shown
    assert "\033[32m" not in shown


ASKING = """
import getpass, time
from lanpi.cli.terminal import Terminal
terminal = Terminal()
with terminal.steps() as steps:
    steps.start("Working")
    time.sleep(0.3)
    def typed(prompt):
        print(prompt, end="", flush=True)
        time.sleep(1)
        print("<typed>")
    getpass.getpass = typed
    terminal.ask_secret("Password: ")
    time.sleep(0.3)
    steps.done("fine")
"""


def test_a_question_in_the_middle_of_a_step_is_not_drawn_over() -> None:
    shown = _on_a_terminal(ASKING)
    while_typing = shown.partition("Password: ")[2].partition("<typed>")[0]
    assert while_typing == ""
    assert "Working" in shown.partition("<typed>")[2].partition("✓")[0]  # and then it goes on
