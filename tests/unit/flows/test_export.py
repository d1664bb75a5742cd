"""The export's own check: what is in the file is what was sent."""

import hashlib
import io
import json
import tarfile

import pytest

from lanpi.errors import LanpiError
from lanpi.flows.export import check_archive, export

DATA = {
    "databases/ejabberd.sqlite": b"rows",
    "files/var/lib/ejabberd/upload/a/film": b"film",
    "xep-0227/1.xml": b"<x/>",
}


def digest(name):
    return hashlib.sha256(DATA[name]).hexdigest()


def packed(**changed):
    content = {
        "files": {"/var/lib/ejabberd/upload/a/film": {"sha256": digest("files/var/lib/ejabberd/upload/a/film")}},
        "databases": [{"file": "databases/ejabberd.sqlite", "sha256": digest("databases/ejabberd.sqlite")}],
        "mnesia": None,
        "xep-0227": {"xep-0227/1.xml": digest("xep-0227/1.xml")},
    }
    members = {"content.json": json.dumps(content).encode()} | DATA | changed
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, data in members.items():
            if data is not None:
                entry = tarfile.TarInfo(f"./{name}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return written.getvalue()


class Pi:
    name = "pi"

    def __init__(self, data, status=0):
        self._data, self._status = data, status

    def stream(self, argv, on_output, *, root=False):
        on_output(self._data)
        return self._status


class Program:
    def __init__(self):
        self.verbs = []

    def run(self, verb):
        self.verbs.append(verb)
        return {"folder": "/stage", "bytes": 1000}


class Report:
    def begin(self, step):
        pass

    def end(self, detail=""):
        pass

    def advance(self, percent):
        pass


def test_a_whole_export_gets_its_name_and_only_its_owner_reads_it(tmp_path):
    program, path = Program(), tmp_path / "home.tar"
    done = export(Pi(packed()), program, path, Report())
    assert (done.compared, done.size_bytes) == (3, path.stat().st_size)
    assert path.stat().st_mode & 0o777 == 0o600
    assert program.verbs == ["export", "export-done"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (packed(**{"xep-0227/1.xml": b"<y/>"}), 0, "xep-0227/1.xml did not arrive"),
        (packed(**{"databases/ejabberd.sqlite": None}), 0, "databases/ejabberd.sqlite did not arrive"),
        (packed(**{"content.json": None}), 0, "is not a complete export"),
        (packed()[:700], 0, "is not a complete export"),
        (packed(), 2, "tar ended with exit status 2"),
    ],
)
def test_anything_less_leaves_no_file_here_and_no_copy_there(tmp_path, data, status, said):
    program = Program()
    with pytest.raises(LanpiError, match=said):
        export(Pi(data, status), program, tmp_path / "home.tar", Report())
    assert list(tmp_path.iterdir()) == []
    assert program.verbs == ["export", "export-done"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    path, program = tmp_path / "home.tar", Program()
    path.write_bytes(b"mine")
    with pytest.raises(LanpiError, match="exists already"):
        export(Pi(packed()), program, path, Report())
    assert path.read_bytes() == b"mine"
    assert program.verbs == []


def test_the_check_names_what_differs(tmp_path):
    path = tmp_path / "home.tar"
    path.write_bytes(packed(**{"files/var/lib/ejabberd/upload/a/film": b"FILM"}))
    assert check_archive(path) == (["files/var/lib/ejabberd/upload/a/film"], 3)
