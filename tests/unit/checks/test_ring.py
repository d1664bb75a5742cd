"""The history: what is kept of it, and what it says."""

from hypothesis import given
from hypothesis import strategies as st

from lanpi.checks import ring, store
from lanpi.checks.names import COARSE_SECONDS, FINE_SECONDS, KEEP_SECONDS
from lanpi.checks.ring import Sample

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


def test_what_a_later_version_wrote_is_read_as_far_as_it_is_known():
    assert ring.from_lines('{"epoch": 5, "colour": "blue"}\n') == [Sample(5)]


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


def test_a_sample_from_the_future_would_never_grow_old_and_is_dropped():
    assert ring.thin([Sample(NOW + 3600), Sample(NOW)], NOW) == [Sample(NOW)]


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
