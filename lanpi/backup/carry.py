"""Files from one Pi to another through this machine, in pieces: neither needs to reach the other."""

from collections.abc import Callable, Iterable, Iterator

from lanpi.hosts.base import Host

PIECE_BYTES = 16 * 1024 * 1024
"""What this machine holds in memory at a time, and what a lost connection costs at most."""
_NAME_LIMIT = 500
"""Names in one argument list, far below any limit of it."""

Entry = tuple[str, int]


def pieces(wanted: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Group files so that a group is at most a piece; a larger file is a group by itself.

    Args:
        wanted: (name, bytes).
    """
    group: list[Entry] = []
    size = 0
    for name, length in wanted:
        if group and (size + length > PIECE_BYTES or len(group) == _NAME_LIMIT):
            yield group
            group, size = [], 0
        group.append((name, length))
        size += length
    if group:
        yield group


def carry(
    source: Host,
    source_folder: str,
    target: Host,
    target_folder: str,
    wanted: Iterable[Entry],
    heard: Callable[[int], None],
) -> int:
    """Copy files between two folders as root; how many bytes went over.

    Args:
        wanted: the files of the source, with their sizes.
        heard: is given the number of bytes copied so far.

    Raises:
        LanpiError: as the hosts raise it.
    """
    total = 0
    for group in pieces(wanted):
        if len(group) == 1 and group[0][1] > PIECE_BYTES:
            for piece in _large(source, f"{source_folder}/{group[0][0]}", target, f"{target_folder}/{group[0][0]}"):
                total += piece
                heard(total)
        else:
            total += _small(source, source_folder, target, target_folder, [name for name, _ in group])
            heard(total)
    return total


def _small(source: Host, source_folder: str, target: Host, target_folder: str, names: list[str]) -> int:
    packed = source.run(
        ["tar", "-C", source_folder, "-cf", "-", "--null", "--no-recursion", "-T", "-"],
        stdin=b"".join(name.encode() + b"\0" for name in names),
        root=True,
    ).stdout
    target.run(["tar", "-C", target_folder, "-xf", "-", "--no-same-owner"], stdin=packed, root=True)
    return len(packed)


def _large(source: Host, path: str, target: Host, place: str) -> Iterator[int]:
    offset = 0
    target.run(["truncate", "-s", "0", place], root=True)
    while True:
        command = ["dd", f"if={path}", f"bs={PIECE_BYTES}", f"skip={offset}", "count=1", "status=none"]
        data = source.run(command, root=True).stdout
        if not data:
            return
        target.run(["sh", "-c", 'cat >> "$1"', "sh", place], stdin=data, root=True)
        yield len(data)
        offset += 1
