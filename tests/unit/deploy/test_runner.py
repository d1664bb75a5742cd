"""A playbook run leaves no trace in the process that asked for it."""

import signal
import threading

import pytest
from ansible_runner.utils import signal_handler

from lanpi.deploy.runner import lost_result, own_signals, parse_event


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_a_playbook_a_signal_means_what_it_did_before(number):
    """A move that was broken off after its install went on to its end."""
    before = signal.getsignal(number)
    with own_signals():
        signal_handler()  # what ansible_runner.run does first
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


def test_another_thread_may_run_one_too():
    failures = []

    def work():
        try:
            with own_signals():
                pass
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []


def test_a_result_that_did_not_arrive_is_noticed():
    """ansible-runner empties a result above 700,000 characters; every first install said "nothing to do"."""
    emptied = {"event": "runner_on_ok", "event_data": {"task": "Place the files", "res": {}}}
    whole = {"event": "runner_on_ok", "event_data": {"task": "Place the files", "res": {"changed": False}}}
    assert lost_result(parse_event(emptied))
    assert not lost_result(parse_event(whole))
