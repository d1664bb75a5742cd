"""``lanpi config`` as users see it, on this machine and on one that plays a Pi."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lanpi.cli import config as command
from lanpi.cli.main import run
from lanpi.config.describe import keys
from lanpi.config.example import example
from lanpi.errors import ExitCode

Capture = pytest.CaptureFixture[str]


class Pi:
    """A host with one file, or none."""

    name = "pi@chat"

    def __init__(self, text: str | None) -> None:
        self._text = text

    def get(self, path: str, *, root: bool = False) -> bytes:
        assert path == "/etc/lanpi/lanpi.yml"
        if self._text is None:
            raise FileNotFoundError(path)
        return self._text.encode()


def with_pi(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    @contextmanager
    def open_target(target: str | None, terminal: Any, login: Any) -> Iterator[Pi]:
        assert target == "pi@chat"
        yield Pi(text)

    monkeypatch.setattr(command, "open_target", open_target)


def test_the_example_checks(tmp_path: Path, capsys: Capture) -> None:
    assert run(["config", "example"]) == 0
    printed = capsys.readouterr().out
    assert printed == example()
    file = tmp_path / "lanpi.yml"
    file.write_text(printed)
    assert run(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file} is valid: {len(keys())} settings\n"


def test_check_names_the_faults(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "lanpi.yml"
    file.write_text("domain: chat\nim:\n  archive_dayz: 1\n")
    assert run(["config", "check", "--json", str(file)]) == ExitCode.BAD_INPUT
    out, err = capsys.readouterr()
    assert f"{file}, line 1: domain: found 'chat': a single word is not a valid domain" in err
    assert f"{file}, line 3: im.archive_dayz: unknown key; did you mean im.archive_days?" in err
    assert json.loads(out)["error"]["exit_code"] == 2


def test_check_of_an_empty_file(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "lanpi.yml"
    file.write_text("# nothing\n")
    assert run(["config", "check", str(file)]) == 0
    assert "no settings, so the defaults apply" in capsys.readouterr().out


def test_show_says_where_each_value_comes_from(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_pi(monkeypatch, "domain: chat.example.org\nlogs:\n  max_mb: 100\n")
    file = tmp_path / "mine.yml"
    file.write_text("logs: {max_mb: 300}\n")
    assert run(["config", "show", "pi@chat", "-c", str(file), "--set", "network.allow_ports=[80/tcp]"]) == 0
    out, err = capsys.readouterr()
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert err == ""
    assert list(rows) == ["KEY", *keys()]
    assert rows["domain"].split(maxsplit=2)[1:] == ["chat.example.org", "/etc/lanpi/lanpi.yml on pi@chat, line 1"]
    assert rows["logs.max_mb"].split(maxsplit=2)[1:] == ["300", f"{file}, line 1"]
    assert rows["network.allow_ports"].split(maxsplit=2)[1:] == ['["80/tcp"]', "--set"]
    assert rows["admin"].split()[1:] == ["admin", "default"]


def test_show_as_json(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pi(monkeypatch, "memory: {swap: off}\n")
    assert run(["config", "show", "pi@chat", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == sorted(keys())
    assert shown["memory.swap"] == {
        "value": "off",
        "origin": "Pi",
        "source": "/etc/lanpi/lanpi.yml on pi@chat",
        "line": 1,
    }


def test_show_of_a_pi_without_lanpi(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pi(monkeypatch, None)
    assert run(["config", "show", "pi@chat"]) == 0
    assert "so these are the defaults" in capsys.readouterr().err


def test_a_fault_in_the_pis_own_file_is_said_as_such(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pi(monkeypatch, "im: {mqtt: maybe}\n")
    assert run(["config", "show", "pi@chat"]) == ExitCode.BAD_INPUT
    assert "/etc/lanpi/lanpi.yml on pi@chat, line 1: im.mqtt: found 'maybe'" in capsys.readouterr().err


def test_a_wrong_option_is_said_before_anything_is_connected(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "open_target", lambda *_, **__: pytest.fail("it connected"))
    assert run(["config", "show", "pi@chat", "--set", "im.mqqt=true"]) == ExitCode.BAD_INPUT
    assert "did you mean im.mqtt?" in capsys.readouterr().err
