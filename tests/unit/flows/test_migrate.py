"""A move that fails after the old server stopped must not leave people without any."""

import contextlib
from types import SimpleNamespace

import pytest

from lanpi.backup import handover
from lanpi.errors import LanpiError
from lanpi.facts.model import MovedOut
from lanpi.flows import migrate as module
from lanpi.hosts.base import Completed
from lanpi.pi.read.moved import MARKER


class Pi:
    def __init__(self, name, log):
        self.name, self._log, self.address, self.files = name, log, f"{name}.example", {}

    def run(self, argv, **_):
        self._log.append((self.name, " ".join(argv[:2])))
        return Completed(argv[0], 0, self.name.encode(), b"")

    def get(self, path, *, root=False):
        return b"{}"

    def put(self, path, data, *, mode=0o600, root=False):
        self._log.append((self.name, f"put {path}"))
        self.files[path] = data

    def lease(self, report):
        return contextlib.nullcontext()

    def persist(self, step, report):
        return step()


class Report:
    def begin(self, step):
        pass

    def end(self, detail=""):
        pass

    def advance(self, percent):
        pass

    def note(self, text):
        pass


@pytest.fixture
def world(monkeypatch):
    """Both Pis; what is asked of their programs lands in the log, and `fails` names what does not work."""
    log, fails = [], set()

    def program(host, _):
        def run(verb, *arguments):
            log.append((host.name, verb))
            if verb in fails:
                raise LanpiError(f"{verb} does not work")
            return {
                "domain": "chat.example.org",
                "folder": "/stage",
                "content": "/c",
                "wanted": [],
                "to_come": 0,
                "told": "",
            }

        return SimpleNamespace(run=run)

    def proven(host, server, report):
        if "prove" in fails:
            raise LanpiError("no message passed")
        return SimpleNamespace(delivery_seconds=0.1)

    monkeypatch.setattr(module, "send_program", program)
    monkeypatch.setattr(module, "proven", proven)
    monkeypatch.setattr(module, "check_now", lambda host, _: log.append((host.name, "check")))
    monkeypatch.setattr(module, "install_without_server", lambda host, *_: log.append((host.name, "install")))
    monkeypatch.setattr(module, "read_facts", lambda *_, **__: SimpleNamespace(installed=None, moved=None))
    return SimpleNamespace(old=Pi("old", log), new=Pi("new", log), log=log, fails=fails)


def move(world):
    return module.migrate(world.old, world.new, None, Report())


def test_the_old_server_stops_only_when_the_new_pi_is_ready(world):
    assert move(world).told == ""
    assert world.log.index(("new", "install")) < world.log.index(("old", "give-stop"))
    assert ("old", "give-start") not in world.log
    assert world.log[-2:] == [("old", "given"), ("old", "give-end")]


def test_the_new_pi_checks_itself_at_the_end_and_has_moved_nowhere(world):
    move(world)
    assert world.log.index(("new", "restore-finish")) < world.log.index(("new", "check"))
    assert MARKER not in world.new.files


@pytest.mark.parametrize("what", ["restore-swap", "prove", "taken"])
def test_a_failure_after_the_stop_starts_the_old_server_again(world, what, monkeypatch):
    if what == "taken":
        # Only its second time: the first is before the stop.
        calls = []

        def carry(*_, **__):
            calls.append(1)
            if len(calls) == 2:
                world.fails.add("taken")
            return 0

        monkeypatch.setattr(handover, "carry", carry)
    else:
        world.fails.add(what)
    with pytest.raises(LanpiError, match=r"does not work|no message passed"):
        move(world)
    assert world.log.index(("old", "give-stop")) < world.log.index(("old", "give-start"))
    assert ("new", "systemctl disable") in world.log
    assert world.log[-1] == ("old", "give-end")


def test_the_first_failure_is_the_one_that_is_told(world):
    """The way to the old Pi broke: that it cannot be started either is not the news, and the new one still stops."""
    world.fails.update({"restore-swap", "give-start", "give-end"})
    with pytest.raises(LanpiError, match="restore-swap does not work"):
        move(world)
    assert ("new", "systemctl disable") in world.log


def test_a_failure_before_the_stop_touches_nothing_of_the_old_one(world):
    world.fails.add("restore-settings")
    with pytest.raises(LanpiError):
        move(world)
    assert {verb for host, verb in world.log if host == "old"} == {"cat /etc/machine-id", "give", "give-end"}


def test_a_pi_does_not_move_onto_itself(world):
    with pytest.raises(LanpiError, match="the old and the new Pi are the same"):
        module.migrate(world.old, world.old, None, Report())


def test_a_pi_that_has_moved_out_has_no_server_to_move(world, monkeypatch):
    gone = MovedOut("", "chat.example.org", "virtual:new")
    monkeypatch.setattr(module, "read_facts", lambda *_, **__: SimpleNamespace(moved=gone))
    with pytest.raises(LanpiError, match="has moved to virtual:new"):
        move(world)
    assert ("old", "give") not in world.log
