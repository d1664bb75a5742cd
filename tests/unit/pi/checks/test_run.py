"""One check, with a server that answers as it is told."""

import pytest

from lanpi.pi.checks import exchange, run
from lanpi.pi.xmpp.client import Login

SETTINGS = {"domain": "pi.local", "ca": None}
PASSED = {"checks": 1, "passed": 1}


@pytest.fixture
def server(monkeypatch):
    """What is asked of the server, in order; ``server.looks`` says how each look ends."""

    class Server:
        def __init__(self):
            self.looks, self.asked = [], []

    def look(logins, archived):
        server.asked.append(f"look for {archived}")
        ending = server.looks.pop(0)
        if isinstance(ending, Exception):
            raise ending
        return ending

    def call(domain, command, **arguments):
        server.asked.append(f"{command} {arguments['user']}")

    server = Server()
    monkeypatch.setattr(run.accounts, "logins", lambda settings: (Login("a", "pi.local", ""),) * 2)
    monkeypatch.setattr(run.accounts, "renew", lambda domain: server.asked.append("new passwords"))
    monkeypatch.setattr(run.exchange, "look", look)
    monkeypatch.setattr(run.im, "call", call)
    return server


def test_the_days_first_check_empties_the_archive_before_it_fills_it(server):
    server.looks = [(PASSED, "new")]
    assert run.check(SETTINGS, None) == (PASSED, "new")
    assert server.asked == [
        "remove_mam_for_user lanpi-check-1",
        "remove_mam_for_user lanpi-check-2",
        "look for None",
    ]


def test_a_later_check_writes_nothing(server):
    server.looks = [(PASSED, "body")]
    assert run.check(SETTINGS, "body") == (PASSED, "body")
    assert server.asked == ["look for body"]


def test_an_archived_message_that_is_gone_is_no_failure_but_a_new_one_must_be_found(server):
    server.looks = [exchange.NotArchived("gone"), (PASSED, "new")]
    assert run.check(SETTINGS, "body") == (PASSED, "new")
    broken = {"checks": 1, "passed": 0, "error": "a message was delivered but is not in the archive"}
    server.looks = [exchange.NotArchived("gone"), (broken, None)]
    assert run.check(SETTINGS, "body") == (broken, None)


def test_passwords_that_do_not_hold_are_made_anew(server):
    refused = {"checks": 1, "passed": 0, "error": "the server refused the login: not-authorized"}
    server.looks = [(refused, None), (PASSED, "new")]
    assert run.check(SETTINGS, "body") == (PASSED, "new")
    assert server.asked == ["look for body", "new passwords", "look for None"]


def test_a_server_that_does_not_answer_is_a_failed_check(server):
    server.looks = [ConnectionRefusedError("nobody there")]
    found, kept = run.check(SETTINGS, "body")
    assert (found["passed"], found["error"], kept) == (0, "ejabberd does not answer: nobody there", None)
