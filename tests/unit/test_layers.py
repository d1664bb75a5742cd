"""Every room is in the contracts that import-linter holds (pyproject.toml), so that a new one cannot stand outside."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_is_in_the_layers():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layered = {name for layer in contracts[0]["layers"] for name in re.findall(r"lanpi\.(\w+)", layer)}
    rooms = {
        path.stem for path in (ROOT / "lanpi").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert layered == rooms - {"__init__", "__main__"}
    forbidden = {name.removeprefix("lanpi.") for name in contracts[1]["forbidden_modules"]}
    assert forbidden == layered - {"pi"}
