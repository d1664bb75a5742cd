"""A playbook run leaves no trace in the process that asked for it."""

import signal
import threading

import pytest
from ansible_runner.utils import signal_handler

from lanpi.deploy.runner import own_signals


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
