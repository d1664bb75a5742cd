"""Bring the static trees to a Pi: nothing travels that is there already."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lanpi import paths
from lanpi.deploy.web import Tree
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed, Host
from lanpi.ship.bundle import broken_reading, run_program

PROGRAM = "lanpi.pi.trees"
ARCHIVE = f"{paths.PI_STATE}/tree.tar.gz"
"""Where a tree arrives; the program that unpacks it takes it away."""


@dataclass(frozen=True)
class Move:
    """What has to happen to a Pi's trees.

    Attributes:
        place: that are missing or damaged.
        remove: folder names that nothing refers to any more.
    """

    place: tuple[Tree, ...]
    remove: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The folders that change."""
        return tuple(f"{paths.PI_TREES}/{name}" for name in (*(tree.folder for tree in self.place), *self.remove))


def plan_trees(wanted: Sequence[Tree], present: Mapping[str, bool]) -> Move:
    """What has to happen; pure.

    Args:
        wanted: the trees that the roles declare.
        present: folder name -> whether it is whole, as the Pi tells.
    """
    names = {tree.folder for tree in wanted}
    return Move(
        place=tuple(tree for tree in wanted if not present.get(tree.folder)),
        remove=tuple(sorted(set(present) - names)),
    )


def read_trees(host: Host) -> dict[str, bool]:
    """The trees on a Pi: folder name -> whether it is whole.

    Raises:
        LanpiError: as ``run_program``.
    """
    done = _run(host, "look", [])
    present: dict[str, bool] = json.loads(done.text)
    return present


def place_trees(host: Host, move: Move) -> None:
    """Send what is missing. Nothing refers to it yet, so an interruption leaves the old pages as they are.

    Raises:
        LanpiError: FAILED when a tree arrived damaged, and what ``Host.put`` raises.
    """
    for tree in move.place:
        host.put(ARCHIVE, pack(tree), root=True)
        _run(host, "place", [tree.folder, ARCHIVE])


def remove_trees(host: Host, move: Move) -> None:
    """Take away what no page refers to any more: after the pages were placed."""
    if move.remove:
        _run(host, "remove", list(move.remove))


def pack(tree: Tree) -> bytes:
    """A tree as a compressed archive, without owners and times."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        for path in tree.files:
            entry = tarfile.TarInfo(path)
            content = (tree.source / path).read_bytes()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _run(host: Host, verb: str, arguments: list[str]) -> Completed:
    done = run_program(host, PROGRAM, [verb, paths.PI_TREES, *arguments], root=True)
    if done.exit_status != 0 and verb != "look":
        raise LanpiError(
            f"the web pages could not be placed: {done.error_text.strip().rpartition(chr(10))[2]}",
            host=host.name,
            next_step="Look at the Pi's free space, and run the same command again",
            exit_code=ExitCode.FAILED,
        )
    if done.exit_status != 0:
        raise broken_reading(host, done, f"exit status {done.exit_status}")
    return done
