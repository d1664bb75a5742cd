"""The module that places files: its results stay small, and a cut-off run leaves no seal on a mixture."""

import base64
import grp
import io
import json
import os
import pwd
import sys

import pytest


@pytest.fixture
def tree(pi_module, tmp_path, monkeypatch):
    """Run lanpi_tree with its own state folder; its result, or what it failed with."""
    from ansible.module_utils import basic, lanpi_secrets, lanpi_state

    monkeypatch.setattr(lanpi_state, "FOLDER", tmp_path / "state")
    monkeypatch.setattr(lanpi_state, "STATE", tmp_path / "state/state.json")
    monkeypatch.setattr(lanpi_state, "ORIGINALS", tmp_path / "state/originals")
    monkeypatch.setattr(lanpi_secrets, "SECRETS", tmp_path / "secrets.json")
    module = pi_module("lanpi_tree")
    monkeypatch.setattr(module.subprocess, "Popen", lambda *_, **__: None)

    def run(files, **options):
        given = {"ANSIBLE_MODULE_ARGS": {"files": files, **options}}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(given).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
        said = io.StringIO()
        monkeypatch.setattr(sys, "stdout", said)
        with pytest.raises(SystemExit):
            module.main()
        return said.getvalue()

    return run


def wanted(path, content, *, owner=None, seal=False):
    return {"path": str(path), "content": base64.b64encode(content.encode()).decode(), "mode": "0644",
            "owner": owner or pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name,
            "restarts": [], "reloads": [], "seal": seal}  # fmt: skip


def test_a_result_is_small_whatever_was_placed(tree, tmp_path):
    """ansible-runner empties one above 700,000 characters."""
    files = [wanted(tmp_path / f"file{number}", f"{number}\n" * 100_000) for number in range(10)]
    said = tree(files)
    assert len(said) < 500_000
    assert json.loads(said)["paths"] == [file["path"] for file in files]


def test_so_is_a_failure(tree, tmp_path):
    said = tree([wanted(tmp_path / "a", "x" * 900_000, owner="no-such-user")])
    assert "no user or group 'no-such-user'" in json.loads(said)["msg"]
    assert len(said) < 10_000


def test_a_seal_goes_first_and_comes_last(tree, tmp_path, monkeypatch):
    from ansible.module_utils import lanpi_files

    seal, module = tmp_path / "pi/SEAL", tmp_path / "pi/z.py"
    tree([wanted(seal, "1", seal=True), wanted(module, "old")])
    write = lanpi_files.write_atomically
    seen = []

    def note(path, *rest):
        seen.append((path, seal.exists()))
        write(path, *rest)

    monkeypatch.setattr(lanpi_files, "write_atomically", note)
    tree([wanted(seal, "2", seal=True), wanted(module, "new")])
    assert seen == [(str(module), False), (str(seal), False)]
    assert (seal.read_text(), module.read_text()) == ("2", "new")
