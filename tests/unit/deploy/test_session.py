"""The session: its lease, a step that is repeated, a reboot - on a machine that is this one, its boots played."""

import json
import subprocess
import time

import pytest

from lanpi.deploy import lock, session
from lanpi.deploy.lock import TakenOver
from lanpi.deploy.session import Session
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Completed
from lanpi.hosts.line import connection_lost


class Machine:
    """Runs what it is told here, without root; ``boot`` is its boot, and ``gone`` counts refusals to come."""

    name, address, direct, can_be_root = "pi", "127.0.0.1", True, True

    def __init__(self):
        self.boot, self.gone, self.ran, self.fresh = "first", 0, [], 0
        self.is_this_machine = False
        self.on_reboot = lambda: None

    def require_root(self):
        pass

    def run(self, argv, *, stdin=b"", root=False, check=True, timeout_seconds=None):
        argv = list(argv)
        if self.gone:
            self.gone -= 1
            raise connection_lost("pi")
        if argv[0] == "systemd-run":
            self.ran.append("reboot")
            self.on_reboot()
            return Completed("", 0, b"", b"")
        if argv == ["cat", session.BOOT_ID]:
            return Completed("", 0, self.boot.encode(), b"")
        if argv[0] == "systemctl":
            self.ran.append(argv[1])
            return Completed("", 0, b"running\n", b"")
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
        out = done.stdout
        if out.startswith(b'{"mine"'):
            out = json.dumps(json.loads(out) | {"boot": self.boot}).encode()
        return Completed("", done.returncode, out, done.stderr)

    def put(self, path, data, *, mode=0o600, root=False):
        self.ran.append(f"put {path}")

    def disconnect(self):
        self.fresh += 1


class Told:
    def __init__(self):
        self.notes, self.steps = [], []

    def begin(self, step):
        self.steps.append(step)

    def advance(self, percent):
        pass

    def end(self, detail=""):
        self.steps.append("done")

    def note(self, text):
        self.notes.append(text)


@pytest.fixture
def lease_file(tmp_path, monkeypatch):
    monkeypatch.setattr("lanpi.paths.PI_LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(session, "RETRY_SECONDS", 0.01)
    return tmp_path / "lock"


@pytest.fixture
def machine(lease_file):
    return Machine()


def steal(lease_file):
    """Another lanpi takes over, as it does from one that was silent."""
    held = {"token": "other", "holder": "eve@laptop", "since": "2026-01-01 10:00:00", "renewed": time.monotonic()}
    lease_file.write_text(json.dumps(held))


def test_a_lease_inside_a_lease_is_the_same_one(machine, lease_file):
    open_session = Session(machine)
    with open_session.lease(Told()):
        token = json.loads(lease_file.read_text())["token"]
        with open_session.lease(Told()):
            assert json.loads(lease_file.read_text())["token"] == token
        assert lease_file.exists()
        open_session.put("/there", b"")
    assert not lease_file.exists()


def away(open_session, do, monkeypatch):
    """Hold the lease, be away for an hour while something happens to it, and come back to a command."""
    with open_session.lease(Told()):
        do()
        monkeypatch.setattr(lock, "_now", lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + 3600)
        open_session.put("/there", b"")


def working(open_session, do):
    """Hold the lease and go on from command to command."""
    with open_session.lease(Told()):
        do()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            open_session.put("/there", b"")
            time.sleep(0.05)


def test_a_lease_that_was_taken_over_stops_the_work_before_its_next_command(machine, lease_file, monkeypatch):
    monkeypatch.setattr(lock, "RENEW_SECONDS", 0.05)
    with pytest.raises(TakenOver, match="eve@laptop took over at 2026-01-01 10:00:00") as caught:
        working(Session(machine), lambda: steal(lease_file))
    assert caught.value.exit_code is ExitCode.BLOCKED
    assert json.loads(lease_file.read_text())["holder"] == "eve@laptop"  # and it is not taken from them again


def test_after_a_sleep_of_this_machine_the_lease_is_looked_at_before_the_next_command(machine, lease_file, monkeypatch):
    with pytest.raises(TakenOver):
        away(Session(machine), lambda: steal(lease_file), monkeypatch)
    assert machine.ran == []


def test_one_that_came_and_went_meanwhile_counts_as_taken_over(machine, lease_file, monkeypatch):
    with pytest.raises(TakenOver, match="another lanpi has changed this Pi"):
        away(Session(machine), lease_file.unlink, monkeypatch)


def test_a_lease_that_ran_out_while_nobody_came_goes_on(machine, lease_file, monkeypatch):
    away(Session(machine), lambda: None, monkeypatch)
    assert machine.ran == ["put /there"]


def test_a_step_that_may_be_repeated_is_when_the_connection_is_lost_in_it(machine):
    told, tries = Told(), []

    def step():
        tries.append(1)
        if len(tries) == 1:
            machine.gone = 2
            raise connection_lost("pi")
        return "done"

    assert Session(machine).persist(step, told) == "done"
    assert told.notes == ["the connection was lost; connecting again"]


def test_a_step_that_fails_is_not_repeated(machine):
    tries = []

    def step():
        tries.append(1)
        raise LanpiError("no space")

    with pytest.raises(LanpiError, match="no space"):
        Session(machine).persist(step, Told())
    assert len(tries) == 1


def test_a_pi_that_stays_away_is_told_as_that(machine, monkeypatch):
    monkeypatch.setattr(session, "RECONNECT_SECONDS", 0.05)

    def step():
        machine.gone = 10_000
        raise connection_lost("pi")

    with pytest.raises(LanpiError, match="did not come back within") as caught:
        Session(machine).persist(step, Told())
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_reboot_is_over_with_another_boot_and_the_lease_is_taken_again(machine, lease_file):
    def reboot():
        lease_file.unlink()  # /run is in memory
        machine.boot, machine.gone = "second", 3

    machine.on_reboot = reboot
    told, open_session = Told(), Session(machine)
    with open_session.lease(told):
        open_session.reboot(told)
        assert lease_file.exists()
        open_session.put("/there", b"")
    assert told.steps == ["Rebooting", "done"]
    assert machine.ran == ["reboot", "is-system-running", "put /there"]
    assert machine.fresh > 3  # each look goes over a connection of its own
    assert not lease_file.exists()


def test_a_pi_that_does_not_reboot_is_not_believed(machine, monkeypatch):
    monkeypatch.setattr(session, "REBOOT_SECONDS", 0.05)
    with pytest.raises(LanpiError, match=r"did not come back within .*it still runs"):
        Session(machine).reboot(Told())


def test_this_machine_reboots_last(machine):
    machine.is_this_machine = True
    told = Told()
    Session(machine).reboot(told)
    assert machine.ran == ["reboot"]
    assert told.notes == ["this machine reboots in 5 s"]
