"""The history: what is kept of it, and what it says."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanpi.pi.checks import ring, store
from lanpi.pi.checks.names import AHEAD_SECONDS, COARSE_SECONDS, FINE_SECONDS, KEEP_SECONDS, MINUTES, REWRITE_LINES
from lanpi.pi.checks.ring import Sample

NOW = 1_800_000_000.0
STEP = 300


def passing(ages):
    return sorted((Sample(NOW - age, checks=1, passed=1) for age in ages), key=lambda sample: sample.epoch)


def test_a_sample_comes_back_from_its_line_as_it_was():
    sample = Sample(NOW, 1, 0, "no route", login=0.1, temperature=51.5, sessions=3)
    assert ring.from_lines(ring.to_line(sample)) == [sample]


def test_a_line_cut_off_by_a_power_cut_is_left_out():
    text = ring.to_line(Sample(NOW)) + ring.to_line(Sample(NOW + 1))[:9]
    assert ring.from_lines(text) == [Sample(NOW)]


def test_the_newest_are_read_from_the_end():
    text = "broken\n" + "".join(map(ring.to_line, passing([400, 300, 200, 100]))) + "[17"
    assert ring.newest(text, NOW - 200) == passing([200, 100])
    assert ring.newest("", NOW) == []


def test_what_a_later_version_wrote_is_read_as_far_as_it_is_known():
    assert ring.from_lines(ring.to_line(Sample(5, received=7)).replace("]", ',"blue"]')) == [Sample(5, received=7)]


@pytest.mark.parametrize("line", ["", "[", "[]", "{}", "5", '["5"]', "null", "[[5]]"])
def test_what_is_no_sample_is_left_out(line):
    assert ring.from_lines(line + "\n") == []


def test_old_samples_are_drawn_together_by_the_hour():
    hour = (NOW - FINE_SECONDS) // COARSE_SECONDS * COARSE_SECONDS - 5 * COARSE_SECONDS
    old = [
        Sample(hour + 10, 1, 1, login=0.1, sessions=3, disk_written=100, load=1.0),
        Sample(hour + 310, 1, 0, "no answer", sessions=9, disk_written=150, load=3.0),
    ]
    (one,) = ring.thin(old, NOW)
    assert one == Sample(hour + 310, 2, 1, "no answer", login=0.1, sessions=9, disk_written=150, load=2.0), (
        "counts are added, people at their highest, the rest a mean of what was known"
    )


def test_a_sample_from_the_future_is_dropped_unless_the_clock_may_just_be_behind():
    samples = [Sample(NOW), Sample(NOW + 3600), Sample(NOW + 2 * AHEAD_SECONDS)]
    assert ring.thin(samples, NOW) == samples[:2]


@given(st.lists(st.integers(0, int(KEEP_SECONDS * 1.2)), max_size=400))
def test_the_history_is_bounded_and_loses_no_check_of_the_month(ages):
    samples = passing(ages)
    kept = ring.thin(samples, NOW)
    assert len(kept) <= KEEP_SECONDS / COARSE_SECONDS + sum(age < FINE_SECONDS for age in ages) + 1
    assert sum(sample.checks for sample in kept) == sum(age < KEEP_SECONDS for age in ages)
    assert ring.thin(kept, NOW) == kept, "thinned once is thinned"


def test_bytes_written_are_counted_through_a_reboot():
    counts = [100, 400, 50, 80]  # it began anew before the third
    assert ring.written([Sample(NOW + n, disk_written=count) for n, count in enumerate(counts)]) == 300 + 50 + 30
    assert ring.written([Sample(NOW, disk_written=1)]) is None


def test_failing_since_the_first_of_the_last_failures():
    states = [0, 1, 0, 0]
    samples = [Sample(NOW + n, checks=1, passed=passed) for n, passed in enumerate(states)]
    assert ring.failing_since(samples) == NOW + 2
    assert ring.failing_since(samples[:2]) is None
    assert ring.failing_since([]) is None


def test_the_history_goes_to_the_card_and_comes_back_after_a_boot(tmp_path):
    live, kept = str(tmp_path / "run/live"), str(tmp_path / "card/kept")
    for sample in passing([700, 400, 100]):
        store.append(live, sample)
    assert store.saved_seconds_ago(kept, NOW) is None
    store.save(live, kept, NOW)
    (tmp_path / "run/live").unlink()
    store.append(live, Sample(NOW + 1))  # the first check came before the history was back
    store.load(live, kept)
    assert [sample.epoch - NOW for sample in store.read(live)] == [-700, -400, -100, 1]
    store.load(live, kept)
    assert len(store.read(live)) == 4, "a second time changes nothing"


def card(tmp_path, ages):
    live, kept = str(tmp_path / "live"), str(tmp_path / "kept")
    for sample in passing(ages):
        store.append(live, sample)
    return live, kept


def test_the_card_gets_only_what_is_new(tmp_path):
    live, kept = card(tmp_path, range(300, 86400, 300))
    assert store.save(live, kept, NOW) == (tmp_path / "kept").stat().st_size
    assert store.save(live, kept, NOW) == 0
    store.append(live, Sample(NOW, checks=1))
    assert store.save(live, kept, NOW) == len(ring.to_line(Sample(NOW, checks=1)))
    assert store.read(kept) == store.read(live)


def test_half_a_line_on_the_card_is_mended(tmp_path):
    live, kept = card(tmp_path, [300, 600])
    (tmp_path / "kept").write_text(ring.to_line(Sample(NOW - 600)) + "[179,1")
    store.save(live, kept, NOW)
    assert (tmp_path / "kept").read_text() == (tmp_path / "live").read_text()


def test_a_month_of_checks_stays_small_on_the_card_and_writes_little(tmp_path):
    live, kept = card(tmp_path, range(0, KEEP_SECONDS, 300))
    full = store.save(live, kept, NOW)
    written, now, days = 0, NOW, 1.5
    for _ in range(18):
        for _ in range(120 // MINUTES):
            now += MINUTES * 60
            store.append(live, Sample(now, checks=1, passed=1))
        written += store.save(live, kept, now)
        most = (KEEP_SECONDS + FINE_SECONDS) / COARSE_SECONDS + FINE_SECONDS / 300 + REWRITE_LINES
        assert (tmp_path / "kept").read_text().count("\n") <= most
    assert written / days < 1.5 * full, "a day's writes are about those of all of it once"


def test_one_at_a_time(tmp_path):
    lock, seen = str(tmp_path / "lock"), []

    def second():
        with store.alone(lock):
            seen.append("second")

    with store.alone(lock):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        seen.append("first")
    thread.join(10)
    assert seen == ["first", "second"]
