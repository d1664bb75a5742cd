"""The Python that lands on a Pi is checked as the project's own is."""

import subprocess
import sys

import pytest

from lanpi.config.load import effective
from lanpi.deploy.desired import desired_state
from lanpi.tuning.decide import plan_limits

from .test_desired import facts

RULES = "E,F,W,I,B,UP,C4,SIM,RET"
# Programs put their folder on the path before they import from it; a rendered value may make a line longer.
IGNORED = "E402,E501"
EVERYTHING = {"database": "postgresql", "metrics": True, "im": {"mqtt": True, "http_api": True, "federation": True}}


@pytest.mark.parametrize("settings", [{}, EVERYTHING])
def test_it_is_clean(settings, tmp_path):
    found = facts("pi5-8g-trixie")
    config = effective({}, {}, [settings]).config
    state = desired_state(found, config, plan_limits(found, config), "chat.example.org")
    python = [
        file for file in state.files if file.path.endswith(".py") or file.content.startswith("#!/usr/bin/python3")
    ]
    assert len(python) > 20
    for file in python:
        path = tmp_path / (file.path if file.path.endswith(".py") else f"{file.path}.py").lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
    options = f"--no-cache --isolated --select {RULES} --ignore {IGNORED} --line-length 120 --target-version py311"
    command = [sys.executable, "-m", "ruff", "check", *options.split(), "--output-format", "concise", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
