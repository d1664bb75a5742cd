"""docs/reference/exit-codes.md is what lanpi/errors.py says."""

import ast
import inspect
import itertools
from pathlib import Path

from lanpi import errors
from lanpi.errors import ExitCode

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "exit-codes.md"


def described() -> dict[str, str]:
    """Name -> the text below it in the source."""
    tree = ast.parse(inspect.getsource(errors))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "ExitCode").body
    found: dict[str, str] = {}
    for one, below in itertools.pairwise(body):
        if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
            assert isinstance(below, ast.Expr), "an exit code without description"
            assert isinstance(below.value, ast.Constant)
            found[one.targets[0].id] = str(below.value.value)
    return found


def test_the_reference_is_the_source() -> None:
    rows = [line for line in REFERENCE.read_text().splitlines() if line.startswith("| ")][1:]
    assert rows == [f"| {int(code)} | {code.name} | {described()[code.name]} |" for code in ExitCode]
