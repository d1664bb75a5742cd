"""Folders of static files on the Pi: whole under their names, or not there."""

import io
import os
import sys
import tarfile

import pytest

import lanpi.pi.trees
from lanpi.deploy.trees import pack
from lanpi.deploy.web import Tree
from lanpi.pi.read.trees import DIGITS, digest, look
from lanpi.pi.trees import place, remove


@pytest.fixture
def tree(tmp_path):
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "a.js").write_text("a")
    (source / "deep/b.css").write_text("b")
    return Tree("house", digest(source), ("a.js", "deep/b.css"), source)


@pytest.fixture
def archive(tree, tmp_path):
    file = tmp_path / "tree.tar.gz"
    file.write_bytes(pack(tree))
    return file


def test_what_arrives_is_whole_and_readable_by_the_web_server(tree, archive, tmp_path):
    root = tmp_path / "static"
    place(root, tree.folder, archive)
    assert look(root) == {tree.folder: True}
    assert (root / tree.folder / "deep/b.css").read_text() == "b"
    assert (root / tree.folder / "deep").stat().st_mode & 0o777 == 0o755
    assert (root / tree.folder / "a.js").stat().st_mode & 0o777 == 0o644
    assert not archive.exists()


def test_a_strict_umask_does_not_keep_the_web_server_out(tree, archive, tmp_path, monkeypatch):
    root = tmp_path / "www/static"
    monkeypatch.setattr(lanpi.pi.trees, "ROOT", str(root))
    monkeypatch.setattr(sys, "argv", ["trees", "place", tree.folder, str(archive)])
    before = os.umask(0o077)
    try:
        lanpi.pi.trees.main()
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (root, root.parent)] == [0o755, 0o755]


def test_the_folder_is_named_by_what_is_in_it(tree):
    assert tree.folder == f"house-{digest(tree.source)[:DIGITS]}"


@pytest.mark.parametrize("damage", ["change", "addition", "loss"])
def test_damage_is_seen_and_put_right(tree, archive, tmp_path, damage):
    root = tmp_path / "static"
    packed = archive.read_bytes()
    place(root, tree.folder, archive)
    file = root / tree.folder / "a.js"
    if damage == "change":
        file.write_text("x")
    elif damage == "addition":
        (root / tree.folder / "more").touch()
    else:
        file.unlink()
    assert look(root) == {tree.folder: False}
    archive.write_bytes(packed)
    place(root, tree.folder, archive)
    assert look(root) == {tree.folder: True}


def test_something_else_under_a_name_is_refused_and_leaves_nothing(tree, archive, tmp_path):
    root = tmp_path / "static"
    with pytest.raises(ValueError, match="something else"):
        place(root, "house-0123456789abcdef", archive)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/outside"])
def test_nothing_is_written_outside(tmp_path, name):
    archive = tmp_path / "bad.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(ValueError, match="does not belong in a tree"):
        place(tmp_path / "static", "house-0123456789abcdef", archive)
    assert not (tmp_path / "outside").exists()


def test_what_an_interruption_left_is_no_folder_and_goes_with_the_next(tree, archive, tmp_path):
    root = tmp_path / "static"
    (root / ".new-house-0").mkdir(parents=True)
    assert look(root) == {}
    place(root, tree.folder, archive)
    assert [path.name for path in root.iterdir()] == [tree.folder]


def test_old_ones_go(tree, archive, tmp_path):
    root = tmp_path / "static"
    place(root, tree.folder, archive)
    remove(root, [tree.folder])
    assert look(root) == {}
