"""Bring folders of static files to a Pi: each travels as one archive, and only where the plan says that it differs."""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from lanpi import paths
from lanpi.deploy.desired import Desired
from lanpi.deploy.plan import Plan
from lanpi.deploy.runner import Event
from lanpi.deploy.web import Tree
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.pi.read.trees import ROOT
from lanpi.ship.bundle import run_program

PROGRAM = "lanpi.pi.trees"
TASK = "Place the web pages"
ARCHIVE = f"{paths.PI_STATE}/tree.tar.gz"
"""Where a tree arrives; the program that unpacks it takes it away."""
TIMEOUT_SECONDS = 300
"""A slow card takes a second or two for some megabytes in a hundred files; longer than this is a failure."""


@dataclass(frozen=True)
class Move:
    """What has to happen to a Pi's trees.

    Attributes:
        place: that are missing or damaged.
        remove: folder names that nothing refers to any more.
    """

    place: tuple[Tree, ...]
    remove: tuple[str, ...]

    def event(self) -> Event:
        """The event of a run that tells what changed, or would."""
        names = [*(tree.folder for tree in self.place), *self.remove]
        return Event("done", TASK, bool(names), {"paths": [f"{ROOT}/{name}" for name in names]})


def move_of(desired: Desired, decided: Plan) -> Move:
    """What a plan asks for; pure."""
    differing = {entry.name.rpartition("/")[2] for entry in decided.differing if entry.kind == "tree"}
    wanted = {tree.folder: tree for tree in desired.trees}
    return Move(
        place=tuple(tree for folder, tree in wanted.items() if folder in differing),
        remove=tuple(sorted(differing - set(wanted))),
    )


def place_trees(host: Host, move: Move) -> None:
    """Send what is missing. Nothing refers to it yet, so an interruption leaves the old pages as they are.

    Raises:
        LanpiError: FAILED when a tree arrived damaged, and what ``Host.put`` raises.
    """
    for tree in move.place:
        host.put(ARCHIVE, pack(tree), root=True)
        _run(host, ["place", tree.folder, ARCHIVE])


def remove_trees(host: Host, move: Move) -> None:
    """Take away what no page refers to any more: once the new pages are placed.

    Raises:
        LanpiError: as :func:`place_trees`.
    """
    if move.remove:
        _run(host, ["remove", *move.remove])


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


def _run(host: Host, arguments: Sequence[str]) -> None:
    done = run_program(host, PROGRAM, arguments, root=True, timeout_seconds=TIMEOUT_SECONDS)
    if done.exit_status != 0:
        last = done.error_text.strip().rpartition("\n")[2]
        raise LanpiError(
            f"the web pages could not be placed: {last or done.exit_status}",
            host=host.name,
            next_step="Check the Pi's free space, then run the same command again",
            exit_code=ExitCode.FAILED,
        )
