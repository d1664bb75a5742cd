"""Files from one Pi to another through this machine."""

import subprocess

import pytest

from lanpi.backup import carry as module
from lanpi.backup.carry import carry, pieces
from lanpi.hosts.base import Completed


class Here:
    """This machine, without root."""

    def run(self, argv, *, stdin=b"", root=False, check=True, timeout_seconds=None):
        done = subprocess.run(argv, input=stdin, capture_output=True, check=check)
        return Completed(argv[0], done.returncode, done.stdout, done.stderr)


def test_small_files_go_together_and_a_large_one_alone():
    limit = module.PIECE_BYTES
    wanted = [("a", limit // 2), ("b", limit // 2), ("c", 1), ("film", limit * 3), ("d", 0)]
    assert [[name for name, _ in group] for group in pieces(wanted)] == [["a", "b"], ["c"], ["film"], ["d"]]


def test_no_group_has_more_names_than_a_command_takes():
    assert max(len(group) for group in pieces((str(number), 0) for number in range(2000))) == 500


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 3 * 4096 + 5])
def test_what_arrives_is_what_was_sent(tmp_path, monkeypatch, size):
    monkeypatch.setattr(module, "PIECE_BYTES", 4096)
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "files/a b").mkdir(parents=True)
    (target / "files/a b").mkdir(parents=True)
    data = bytes(number % 251 for number in range(size))
    (source / "files/a b/film").write_bytes(data)
    (source / "files/-n").write_bytes(b"a name like an option")
    (target / "files/a b/film").write_bytes(b"half of an earlier try")
    heard = []
    wanted = [("files/a b/film", size), ("files/-n", 21)]
    total = carry(Here(), str(source), Here(), str(target), wanted, heard.append)
    assert heard[-1] == total >= size + 21
    assert heard == sorted(heard)
    assert (target / "files/a b/film").read_bytes() == data
    assert (target / "files/-n").read_bytes() == b"a name like an option"
