"""How long a place that does not answer is waited for."""

import pytest

PLACE = "rest:http://store:8000/"


@pytest.fixture
def patience(program):
    return program("patience").Patience(PLACE)


def again(what, why, times=1):
    return f"{what} returned error, retrying after 1.2s: {why}\n" * times


def test_a_place_that_never_answered_is_given_up_soon(patience):
    why = "dial tcp 192.0.2.1:8000: connect: connection refused"
    assert patience.ends("", 0) is None
    assert patience.ends(again("Stat(<config/>)", why), 1) is None
    assert patience.ends(again("Stat(<config/>)", why, 2), 15) is None
    assert patience.ends(again("Stat(<config/>)", why, 2), 20) is None
    # restic waits longer and longer before it tries again.
    ended = patience.ends(again("Stat(<config/>)", why, 2), 21)
    assert ended.what == f"{PLACE} does not answer: {why}"


def test_a_place_that_answered_after_all_is_not_given_up(patience):
    said = again("Stat(<config/>)", "connection refused", 2)
    assert patience.ends(said, 1) is None
    assert patience.ends(said + "Stat(<config/>) operation successful after 2 retries\n", 100) is None


def test_a_place_that_stops_answering_may_come_back(patience):
    said = [again("Save(<data/1>)", "EOF", number) for number in range(6)]
    assert patience.ends(said[1], 1) is None
    assert patience.ends(said[2], 100) is None
    assert patience.ends(said[3], 500) is None  # that was long ago: another trouble
    assert patience.ends(said[4], 600) is None
    assert "does not answer: EOF" in patience.ends(said[5], 621).what


@pytest.mark.parametrize(
    "why",
    [
        "Stat: The request signature we calculated does not match the signature you provided. Check your key",
        "Stat: The AWS Access Key Id you provided does not exist in our records.",
        "Stat: Access Denied.",
        "unexpected HTTP response (401): 401 Unauthorized",
    ],
)
def test_a_login_that_is_refused_is_not_tried_again(patience, why):
    ended = patience.ends(again("Stat(<config/>)", why), 1)
    assert ended.what == f"{PLACE} does not let this Pi in: {why.rstrip('.')}"
    assert ended.kind == "refused"
    assert "/etc/lanpi/backup.env" in ended.next_step


def test_a_bucket_that_nobody_made(patience):
    ended = patience.ends(again("Stat(<config/>)", "Stat: The specified bucket does not exist"), 1)
    assert ended.what == f"there is no such bucket at {PLACE}"


def test_a_disk_that_was_taken_out_or_exchanged_ends_it_at_once(program, monkeypatch):
    module = program("patience")
    there = [7, 7, None, 8]
    monkeypatch.setattr(module, "disk_number", lambda _: there.pop(0))
    patience = module.Patience("usb:1A2B-3C4D")
    assert patience.ends("", 1) is None
    assert patience.ends("", 2).kind == "missing"
    assert patience.ends("", 3).kind == "missing"
