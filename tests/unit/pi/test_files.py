"""Files that a power cut leaves old or new, never half."""

import os

import pytest

from lanpi.pi import files
from lanpi.pi.files import write_whole


def test_the_file_is_replaced_at_once_with_its_mode(tmp_path):
    path = tmp_path / "new/folder/lanpi.prom"
    for content, mode in (("one\n", 0o600), (b"two\n", 0o644)):
        write_whole(path, content, mode=mode)
        assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
        assert path.stat().st_mode & 0o777 == mode
    assert [each.name for each in path.parent.iterdir()] == ["lanpi.prom"]
    assert path.parent.stat().st_mode & 0o777 == 0o755


def test_a_secret_is_never_readable_by_others(tmp_path, monkeypatch):
    modes = []
    opened = os.fdopen

    def watch(descriptor, *rest):
        modes.append(os.fstat(descriptor).st_mode & 0o777)
        return opened(descriptor, *rest)

    monkeypatch.setattr(files.os, "fdopen", watch)
    before = os.umask(0)
    try:
        write_whole(tmp_path / "secret", "s3cr3t")
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_a_full_card_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "status.json"
    write_whole(path, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["status.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_can_belong_to_another_user(tmp_path):
    write_whole(tmp_path / "file", "text", owner=(65534, 65534))
    assert (tmp_path / "file").stat().st_uid == 65534
