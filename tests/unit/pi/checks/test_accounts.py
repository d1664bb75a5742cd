"""The passwords of the two accounts, and an ejabberd that remembers what it was told."""

import json

import pytest

from lanpi.pi.checks import accounts

SETTINGS = {"domain": "pi.local", "ca": "/etc/lanpi/tls/ca.crt"}


@pytest.fixture
def told(monkeypatch, tmp_path):
    """What ejabberd was told; ``told[0]`` are the accounts it has."""
    told: list = [[]]

    def call(domain, command, **arguments):
        if command == "registered_users":
            return told[0]
        told.append((command, arguments["user"]))
        return "done"

    monkeypatch.setattr(accounts.im, "call", call)
    monkeypatch.setattr(accounts, "SECRETS", str(tmp_path / "checks/accounts.json"))
    return told


def test_the_accounts_are_made_once_and_only_root_can_read_the_passwords(told, tmp_path):
    first, second = accounts.logins(SETTINGS)
    assert told[1:] == [("register", "lanpi-check-1"), ("register", "lanpi-check-2")]
    assert (first.jid, first.host, first.ca) == ("lanpi-check-1@pi.local", "127.0.0.1", SETTINGS["ca"])
    assert len(first.password) > 30
    assert first.password != second.password
    assert (tmp_path / "checks/accounts.json").stat().st_mode & 0o777 == 0o600
    assert accounts.logins(SETTINGS) == (first, second)
    assert len(told) == 3, "the second time nothing is asked"


def test_accounts_that_came_with_a_restore_get_new_passwords(told):
    told[0] = ["anna", "lanpi-check-2"]
    accounts.logins(SETTINGS)
    assert told[1:] == [("register", "lanpi-check-1"), ("change_password", "lanpi-check-2")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lanpi-check-1": "x"}'])
def test_a_spoilt_file_is_made_anew(told, tmp_path, text):
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks/accounts.json").write_text(text)
    accounts.logins(SETTINGS)
    assert set(json.loads((tmp_path / "checks/accounts.json").read_text())) == {"lanpi-check-1", "lanpi-check-2"}
