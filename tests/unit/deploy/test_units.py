"""Many units in few calls, with systemd's order and an error that names the unit."""

import subprocess

import pytest

LOADED = {"LoadState": "loaded", "ConditionResult": "yes", "ConditionTimestampMonotonic": "5", "Result": "success"}
DOWN = LOADED | {"ActiveState": "inactive", "UnitFileState": "disabled"}
UP = LOADED | {"ActiveState": "active", "UnitFileState": "enabled"}
REDIS = {"name": "redis-server.service", "state": "started", "enabled": True}
TLS = {"name": "lanpi-tls.service", "state": "run", "enabled": True}
SERVER = {"name": "ejabberd.service", "state": "started", "enabled": True, "log": "/nowhere"}


class State:
    def __init__(self, pending):
        self.pending, self.units, self.stopped = dict(pending), {}, []

    def save(self):
        pass


class Module:
    check_mode = False

    def __init__(self, units):
        self.params = {"units": units, "asked": {}}


class Systemd:
    """Notes every call; after a start its units are what ``then`` says, else up."""

    def __init__(self, now, then=()):
        self.calls, self._now, self._then = [], now, dict(then)

    def __call__(self, argv, **_):
        program, verb, *names = argv
        status, said = 0, ""
        if program == "journalctl":
            said = "the journal says why\n"
        elif verb == "show":
            said = "\n\n".join("\n".join(f"{k}={v}" for k, v in self._now[name].items()) for name in names[2:])
        else:
            self.calls.append(" ".join([verb, *names]))
            if verb == "start":
                self._now |= {name: self._then.get(name, UP) for name in names}
                status = int(any(name in self._then for name in names))
        return subprocess.CompletedProcess(argv, status, said, "Job failed.")


@pytest.fixture
def units(pi_module, monkeypatch):
    module = pi_module("lanpi_units")

    def run(declared, now, pending=(), then=()):
        systemd = Systemd({unit["name"]: state for unit, state in zip(declared, now, strict=True)}, then)
        monkeypatch.setattr(module.subprocess, "run", systemd)
        state = State(pending)
        try:
            return module.present(Module(declared), state), systemd.calls, state.pending
        except module.UnitError as error:
            return str(error), systemd.calls, state.pending

    return run


def test_a_first_start_enables_all_in_one_call_and_starts_all_in_another(units):
    done, calls, pending = units([REDIS, TLS, SERVER], [DOWN] * 3, {"systemd": "reload", "ejabberd.service": "restart"})
    names = "redis-server.service lanpi-tls.service ejabberd.service"
    assert calls == ["daemon-reload", f"enable {names}", f"reset-failed {names}", f"start {names}"]
    assert done == ["enable redis-server.service", "start redis-server.service", "enable lanpi-tls.service",
                    "enable ejabberd.service", "start ejabberd.service"]  # fmt: skip
    assert pending == {}


def test_what_needs_another_stops_before_it(units):
    """With Redis gone first, or with another password, ejabberd takes minutes to stop."""
    asked = {"redis-server.service": "restart", "ejabberd.service": "restart"}
    done, calls, _ = units([REDIS, SERVER], [UP, UP], asked)
    assert calls[-2:] == [
        "restart --no-block ejabberd.service redis-server.service",
        "start redis-server.service ejabberd.service",
    ]
    assert done == ["restart redis-server.service", "restart ejabberd.service"]


def test_nothing_to_do_calls_nothing(units):
    assert units([REDIS, SERVER], [UP, UP]) == ([], [], {})


def test_the_unit_that_failed_is_named_with_its_journal(units):
    broken = DOWN | {"ActiveState": "failed", "Result": "exit-code"}
    held = DOWN | {"ConditionResult": "no"}
    said, _, pending = units([REDIS, TLS, SERVER], [DOWN] * 3, {"redis-server.service": "restart"},
                             {"redis-server.service": held, "ejabberd.service": broken})  # fmt: skip
    assert said == "ejabberd.service did not start: the journal says why"
    assert pending == {"redis-server.service": "restart"}  # the next run does it again


def test_what_waits_for_a_failed_one_is_not_blamed(units):
    broken = DOWN | {"ActiveState": "failed", "Result": "exit-code"}
    said, *_ = units([REDIS, SERVER], [DOWN] * 2, (), {"redis-server.service": DOWN, "ejabberd.service": broken})
    assert said.startswith("ejabberd.service did not start")


def test_a_start_that_its_conditions_hold_back_is_no_change(units):
    held = DOWN | {"ConditionResult": "no", "UnitFileState": "enabled"}
    assert units([REDIS], [held])[0] == ["start redis-server.service"]
    done, *_ = units([TLS], [LOADED | {"ActiveState": "inactive", "UnitFileState": "enabled"}])
    assert done == []


def test_a_missing_unit_is_an_error_unless_it_is_optional(units):
    gone = DOWN | {"LoadState": "not-found"}
    assert units([SERVER], [gone])[0] == "ejabberd.service is not there (systemd says not-found)"
    assert units([SERVER | {"optional": True}], [gone])[0] == []
