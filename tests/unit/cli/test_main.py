"""What every command has in common: how it is found, and how each ending looks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer

from lanpi import __version__
from lanpi.cli.commands import COMMANDS
from lanpi.cli.main import load_command, run
from lanpi.errors import ExitCode, LanpiError

HEAVY = ("ansible_runner", "paramiko", "pydantic", "rich.progress", "rich.console", "yaml", "jinja2")


def lanpi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lanpi", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A command ``user`` that ends as its attribute ``how`` says; it knows --json and -v."""
    module = ModuleType("lanpi.cli.user")
    app = typer.Typer()

    @app.command()
    def command(
        json_output: bool = typer.Option(False, "--json"),
        verbose: int = typer.Option(0, "--verbose", "-v", count=True),
        words: list[str] = typer.Argument(None),  # noqa: B008 - as typer has it
    ) -> None:
        module.seen = (verbose, words)
        if module.how is not None:
            raise module.how

    module.app = app
    module.how = None
    monkeypatch.setitem(sys.modules, "lanpi.cli.user", module)
    return module


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_the_table_is_there_and_described(name: str) -> None:
    command = load_command(name)
    assert command.name == name
    assert command.help
    assert COMMANDS[name].endswith(".")


def test_help_lists_the_commands_and_imports_none_of_what_they_need() -> None:
    code = (
        "import sys; from lanpi.cli.main import run; status = run(['--help']);"
        f"print(*[m for m in {(*HEAVY, *('lanpi.cli.' + name for name in COMMANDS))!r} if m in sys.modules],"
        "file=sys.stderr); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert done.stderr.strip() == "", "imported for --help"
    for name, line in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert line in done.stdout


def test_version() -> None:
    done = lanpi("--version")
    assert (done.returncode, done.stdout) == (0, f"lanpi {__version__}\n")


def test_no_command_is_help_and_bad_input() -> None:
    done = lanpi()
    assert done.returncode == ExitCode.BAD_INPUT
    assert done.stdout == ""
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["instal"], "lanpi: No such command 'instal'. Did you mean 'install', "),
        (["--nonsense"], "lanpi: No such option: --nonsense. Run: lanpi --help\n"),
        (["config", "check"], "lanpi: Missing argument 'FILE'. Run: lanpi config check --help\n"),
        (["config", "check", "a", "b"], "extra argument"),
    ],
)
def test_usage_errors_are_one_line(arguments: list[str], said: str) -> None:
    done = lanpi(*arguments)
    assert done.returncode == ExitCode.BAD_INPUT
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_an_expected_failure_is_one_line(ending: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ending.how = LanpiError("no answer", host="pi", next_step="Switch it on", exit_code=ExitCode.UNREACHABLE)
    assert run(["user"]) == ExitCode.UNREACHABLE
    assert capsys.readouterr() == ("", "lanpi: pi: no answer. Switch it on\n")


def test_with_json_it_is_also_a_document(ending: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ending.how = LanpiError("no answer", host="pi", next_step="Switch it on", exit_code=ExitCode.UNREACHABLE)
    assert run(["user", "--json"]) == ExitCode.UNREACHABLE
    out, err = capsys.readouterr()
    assert err == "lanpi: pi: no answer. Switch it on\n"
    assert json.loads(out) == {
        "error": {"what": "no answer", "host": "pi", "next_step": "Switch it on", "exit_code": 3}
    }


@pytest.mark.parametrize("how", [KeyboardInterrupt(), EOFError(), typer.Abort()])
def test_an_interruption_says_how_to_go_on(
    how: BaseException, ending: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    ending.how = how
    assert run(["user"]) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == (
        "lanpi: interrupted. Run the same command again: it continues where it stopped\n"
    )


def test_a_fault_of_ours_hides_its_traceback(ending: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ending.how = ZeroDivisionError("division by zero")
    assert run(["user"]) == ExitCode.FAILED
    err = capsys.readouterr().err
    assert err.startswith("lanpi: internal error: ZeroDivisionError: division by zero. Run the same command again with")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--debug", "user"], ["user", "--debug"]])
def test_debug_shows_the_traceback(
    arguments: list[str], ending: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    ending.how = LanpiError("no answer", exit_code=ExitCode.UNREACHABLE)
    assert run(arguments) == ExitCode.UNREACHABLE
    err = capsys.readouterr().err
    assert err.startswith("Traceback")
    assert err.endswith("lanpi: no answer\n")


@pytest.mark.parametrize("arguments", [["-vv", "user"], ["user", "-vv"]])
def test_verbose_before_or_after_the_command(arguments: list[str], ending: ModuleType) -> None:
    assert run(arguments) == 0
    assert ending.seen == (2, None)


def test_what_follows_two_dashes_is_not_ours(ending: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ending.how = ZeroDivisionError()
    run(["user", "--", "--debug", "--json"])
    assert ending.seen == (0, ["--debug", "--json"])
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err


def test_exit_status_of_a_command(ending: ModuleType) -> None:
    ending.how = typer.Exit(3)
    assert run(["user"]) == 3


def test_a_broken_pipe_elsewhere_is_no_reader_that_left(ending: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    ending.how = BrokenPipeError(32, "Broken pipe")
    assert run(["user"]) == ExitCode.FAILED
    assert "internal error: BrokenPipeError" in capsys.readouterr().err


def test_a_reader_that_left_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "lanpi", "config", "example"],
            stdout=closed,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (ExitCode.READER_LEFT, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_a_running_command_tidily(number: int, tmp_path: Path) -> None:
    pipe = tmp_path / "settings"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-m", "lanpi", "config", "check", str(pipe)], stderr=subprocess.PIPE, text=True
    ) as process:
        writer = os.open(pipe, os.O_WRONLY)  # returns once the command has opened the other end and reads
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        os.close(writer)
    assert process.returncode == ExitCode.INTERRUPTED
    assert said == "lanpi: interrupted. Run the same command again: it continues where it stopped\n"


def test_no_color_reaches_everybody(ending: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert run(["user", "--no-color"]) == 0
    assert os.environ["NO_COLOR"] == "1"


def test_without_utf8_marks_are_replaced_not_fatal() -> None:
    code = "import sys; sys.argv = ['lanpi', '--version']; from lanpi.cli.main import main\n"
    code += "try: main()\nexcept SystemExit: print('\\u2713')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.stdout.endswith(b"?\n")
