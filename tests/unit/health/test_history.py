"""What the probe makes of the Pi's history."""

import json

import pytest

from lanpi.facts.records import build_record
from lanpi.health.readings import History
from lanpi.health.status import judge
from lanpi.pi.checks import ring
from lanpi.pi.checks.history import history, midnight
from lanpi.pi.checks.names import KEPT, LIVE
from lanpi.pi.checks.ring import Sample

from .recorded import readings

NOON = midnight(1_800_000_000) + 43_200
BOARD = {"cores": 4, "memory_total_bytes": 1000, "swap_total_bytes": 0, "disk_total_bytes": 100_000}


class Files:
    def __init__(self, files):
        self._files = files

    def read_text(self, path):
        return self._files.get(path)


def told(samples, asked=0.0, path=LIVE):
    text = "".join(map(ring.to_line, samples))
    found = history(Files({path: text}), NOON, asked, BOARD)
    return build_record(History, json.loads(json.dumps(found)), "history")


def every_five_minutes(ages, **values):
    return [Sample(NOON - age, checks=1, passed=1, **values) for age in sorted(ages, reverse=True)]


def test_nothing_kept_is_nothing_told():
    assert history(Files({}), NOON, 0, BOARD) is None


def test_the_card_answers_until_the_first_check_after_a_boot():
    assert told(every_five_minutes([300]), path=KEPT).checks == 1


def test_availability_is_of_the_last_day_and_samples_only_come_when_asked_for():
    samples = every_five_minutes(range(300, 3 * 86400, 300))
    found = told(samples)
    assert (found.checks, found.passed, found.samples) == (288, 288, ())
    assert found.first_epoch == samples[0].epoch
    assert len(told(samples, 2 * 86400).samples) == 576


def test_time_without_checks_is_known_where_there_were_checks_before():
    assert told(every_five_minutes(range(300, 3600, 300))).unseen_seconds == 0
    off = every_five_minutes([*range(300, 3600, 300), *range(7500, 9000, 300)])
    assert told(off).unseen_seconds == 7500 - 3300
    assert told(every_five_minutes([300, 2 * 86400])).unseen_seconds == 86400 - 300, "what was before is not of the day"


def test_today_begins_at_midnight_and_counts_what_was_written_since_the_last_sample_before_it():
    yesterday = Sample(NOON - 43_300, 1, 1, sessions=90, sent=70, disk_written=1000, ejabberd_written=10)
    today = Sample(NOON - 43_000, 1, 1, sessions=3, sent=4, disk_written=1500, ejabberd_written=4)
    found = told([yesterday, today, Sample(NOON - 60, 1, 1, sessions=2, sent=5, disk_written=1700, ejabberd_written=9)])
    assert (found.peak_sessions_today, found.messages_today) == (3, 9)
    # ejabberd was restarted, and counts from there anew.
    assert found.written_today_bytes == {"disk": 700, "ejabberd": 9, "postgresql": None, "journal": None}


def test_failing_for_longer_than_a_day():
    passing = [Sample(NOON - 3 * 86400, 1, 1)]
    failing = [Sample(NOON - age, 1, 0, "no connection") for age in (2 * 86400, 86000, 300)]
    found = told(passing + failing)
    assert (found.failing_since, found.last_error, found.passed) == (NOON - 2 * 86400, "no connection", 0)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("load", {"load": 1.0}, {"load": 7.0}),
        ("memory", {"memory_available": 400}, {"memory_available": 140}),
        ("temperature", {"temperature": 50}, {"temperature": 76}),
        ("disk", {"disk_free": 50_000}, {"disk_free": 100}),
        ("answer", {"answer": 0.1}, {"answer": 2.0}),
        ("latency", {"login": 0.1, "delivery": 0.1}, {"login": 0.1, "delivery": 3.0}),
    ],
)
def test_since_when_a_figure_is_bad(key, good, bad):
    states = [bad, good, bad, bad]
    samples = [Sample(NOON - 300 * (4 - n), 1, 1, **state) for n, state in enumerate(states)]
    assert told(samples).bad_since == {key: NOON - 600}
    assert told(samples[:2]).bad_since == {}


def test_a_bad_line_says_how_long_it_has_been():
    hot = {"board/temperature_celsius": 81.5, "history/bad_since": {"temperature": readings().epoch_seconds - 7200}}
    assert "81.5 °C, for 2 h" in judge("pi", readings(hot)).summary
    cooled = hot | {"board/temperature_celsius": 60.0}
    assert [line.text for line in judge("pi", readings(cooled)).findings if line.id == "temperature"] == ["60.0 °C"]


def test_a_service_says_how_long_it_has_been_down():
    down = {"services/ejabberd.service/active": "failed", "services/ejabberd.service/since_epoch": -600}
    assert "failed, for 10 min" in judge("pi", readings(down)).summary
