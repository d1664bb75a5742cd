"""The recorded machines under tests/data/facts; run as a module, it writes their expectations anew."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanpi.config.model import Config
from lanpi.facts.model import Facts
from lanpi.facts.read import facts_from_json
from lanpi.health.preflight import PACKAGES, findings
from lanpi.pi.facts import collect
from lanpi.pi.read.recorded import Recorded

FOLDER = Path(__file__).parents[2] / "data" / "facts"
UNITS = ["ssh.service", "ejabberd.service"]


@dataclass(frozen=True)
class RecordedMachine:
    """One folder."""

    folder: Path

    def probed(self) -> dict[str, Any]:
        """What the probe says, as plain data."""
        source = Recorded(str(self.folder / "tree"))
        return collect(source, package_names=list(PACKAGES), unit_names=UNITS, check_mirror=True)

    def facts(self) -> Facts:
        """The expected facts (the probe has its own test)."""
        return facts_from_json((self.folder / "facts.json").read_text("utf-8"))

    def report(self) -> str:
        """What preflight says, one finding a paragraph."""
        facts = self.facts()
        case = self.folder / "case.json"
        told = json.loads(case.read_text("utf-8")) if case.exists() else {}
        found = findings(
            facts,
            Config(),
            forced=told.get("forced", False),
            now_epoch_seconds=told.get("operator_epoch", facts.clock.epoch_seconds),
        )
        lines = []
        for each in found:
            lines.append(f"{each.level:8} {each.id}: {each.text}")
            if each.fix:
                lines.append(f"         -> {each.fix}")
        return "\n".join(lines) + "\n"


MACHINES = {folder.name: RecordedMachine(folder) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}


if __name__ == "__main__":
    for machine in MACHINES.values():
        text = json.dumps(machine.probed(), indent=2, ensure_ascii=False)
        (machine.folder / "facts.json").write_text(text + "\n", "utf-8")
        (machine.folder / "findings.txt").write_text(machine.report(), "utf-8")
