"""The root program and its near end, over a pipe to a real process (as this user instead of root)."""

import contextlib
import subprocess
import sys
import threading

import pytest

from lanpi.hosts.agent import PROGRAM, Agent, Gone


class ProcessPipe:
    """A child's standard input and output."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def receive(self) -> bytes:
        return self.process.stdout.read1(65536)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def agent():
    pipe = ProcessPipe()
    agent = Agent(pipe)
    yield agent
    agent.close()


def test_status_output_and_input(agent):
    done = agent.run(["sh", "-c", "cat; echo bad >&2; exit 7"], b"in", None, "shown")
    assert (done.exit_status, done.stdout, done.stderr, done.command) == (7, b"in", b"bad\n", "shown")


def test_a_command_that_is_not_there(agent):
    assert agent.run(["/no/such/program"], b"", None, "x").exit_status == 127


def test_a_signal_counts_as_128_and_its_number(agent):
    assert agent.run(["sh", "-c", "kill -9 $$"], b"", None, "x").exit_status == 137


def test_much_data_both_ways(agent):
    data = bytes(range(256)) * 40_000
    assert agent.run(["cat"], data, None, "x").stdout == data


def test_commands_run_side_by_side(agent, tmp_path):
    """One waits for what the other does: in turn they would wait for ever."""
    gate = tmp_path / "gate"
    wait = ["sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.02; done; echo through"]
    results = []
    waiter = threading.Thread(target=lambda: results.append(agent.run(wait, b"", 20, "x").stdout))
    waiter.start()
    agent.run(["touch", str(gate)], b"", 20, "x")
    waiter.join(20)
    assert results == [b"through\n"]


def test_a_command_that_takes_too_long_is_ended(agent, tmp_path):
    marker = tmp_path / "alive"
    with pytest.raises(TimeoutError):
        agent.run(["sh", "-c", f"exec sleep 30; touch {marker}"], b"", 0.2, "x")
    assert agent.run(["true"], b"", 20, "x").exit_status == 0
    assert not marker.exists()


def test_a_command_that_is_given_up_before_it_began_is_ended_too(agent):
    # Without a wait between request and cancellation; what was left running would outlast the fixture's patience.
    for _ in range(20):
        with pytest.raises(TimeoutError):
            agent.run(["sleep", "60"], b"", 0.0, "x")
    assert agent.run(["true"], b"", 20, "x").exit_status == 0


def test_the_end_of_the_program_is_noticed():
    pipe = ProcessPipe()
    agent = Agent(pipe)
    pipe.process.kill()
    with pytest.raises(Gone):
        agent.run(["true"], b"", 20, "x")
    with pytest.raises(Gone):
        agent.run(["true"], b"", 20, "x")
    pipe.process.wait()
    with contextlib.suppress(BrokenPipeError):  # what was still on its way to the program
        pipe.process.stdin.close()
    pipe.process.stdout.close()
