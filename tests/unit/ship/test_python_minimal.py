"""What reads a Pi runs where only python3-minimal is; what else is needed there is known, and installed first."""

import ast
import sys
from pathlib import Path

import pytest

from lanpi.hosts.agent import PROGRAM
from lanpi.pi.read.system import WHOLE_PYTHON
from lanpi.ship.bundle import bundle
from lanpi.ship.closure import closure, sources, text

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "tests/data/python3-minimal"
TRIXIE, BOOKWORM = (set((TABLES / f"{suite}.txt").read_text().split()) for suite in ("trixie", "bookworm"))
# What runs before python3 is whole: facts, the lock, and the commands that may look at a Pi without lanpi.
READING = ("lanpi.pi.facts", "lanpi.pi.lease", "lanpi.pi.status", "lanpi.pi.evidence", "lanpi.pi.logs.collect")
# ansible-core's wrapper around each module (executor/powershell aside): lib/ansible/_internal/_ansiballz.
ANSIBLE = {"zipfile", "shutil", "tempfile"}


def imported(source: str, *, everywhere: bool) -> set[str]:
    """The standard library's modules that a text imports; those inside functions only with ``everywhere``."""
    tree = ast.parse(source)
    nodes = ast.walk(tree) if everywhere else outside_functions(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name for name in found if name.partition(".")[0] in sys.stdlib_module_names}


def outside_functions(node: ast.AST):
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from outside_functions(child)


def lacking(names: set[str], table: set[str]) -> set[str]:
    return {name for name in names if name not in table and not name.startswith("_")}


@pytest.mark.parametrize("entry", READING)
def test_reading_needs_no_more_than_trixies_python3_minimal(entry):
    for name in closure(entry):
        assert not lacking(imported(text(name), everywhere=False), TRIXIE), name


def test_root_and_the_words_about_a_lack_need_no_more_than_bookworms():
    """Bookworm's has no JSON, so nothing can be read; but python3 can be installed."""
    assert not lacking(imported(PROGRAM, everywhere=True), TRIXIE & BOOKWORM)
    assert not lacking(imported(bundle("lanpi.pi.lease").decode(), everywhere=True), TRIXIE & BOOKWORM)


def test_facts_look_for_all_that_is_missing_and_needed():
    texts = [*sources().values(), *(path.read_text() for path in (ROOT / "playbooks").glob("*/*.py"))]
    needed = ANSIBLE.union(*(imported(source, everywhere=True) for source in texts))
    wanted = {name.partition(".")[0] for name in lacking(needed, TRIXIE)}
    # The files of these are there; what they import is not, and is among the rest.
    assert wanted - {"tempfile", "zipfile"} == set(WHOLE_PYTHON)
