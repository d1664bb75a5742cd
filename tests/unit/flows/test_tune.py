"""Applying limits, with the Pi's part played by fakes: what is written down, and the way back."""

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest

from lanpi.config.dump import dump
from lanpi.config.model import Config
from lanpi.deploy.limits_stored import HISTORY, LIMITS
from lanpi.deploy.proof import Proof
from lanpi.errors import ExitCode, LanpiError
from lanpi.facts.model import Installed
from lanpi.flows import tune as module
from lanpi.flows.install import Options
from lanpi.flows.tune import Change, apply, changed, propose, propose_undo
from lanpi.tuning.decide import decide
from unit.tuning.machines import machine

PROOF = Proof(0.1, 0.01, 0.1, "SCRAM-SHA-256", "here")


class Pi:
    """A Pi's files, and what a run does to them."""

    name = "pi"

    def __init__(self) -> None:
        self.config = Config(domain="pi.local")
        self.files = {LIMITS: decide(self.facts(), self.config).plan.as_json.encode() + b"\n"}
        self.failures: list[LanpiError | None] = []
        self.profiles: list[str] = []

    def facts(self) -> Any:
        installed = Installed("1", True, "2026-01-01T00:00:00+00:00", "pi.local")
        return replace(machine(1024), installed=installed, config_text=dump(self.config))

    def get(self, path: str, *, root: bool = False) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        self.files[path] = data

    def run(self, argv: Any, **options: Any) -> None:
        assert argv[0] == "mkdir"

    def lease(self, report: Any) -> Any:
        return contextlib.nullcontext()

    def sets(self) -> list[dict[str, Any]]:
        sets: list[dict[str, Any]] = json.loads(self.files[HISTORY])
        return sets


class Quiet:
    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch) -> Pi:
    pi = Pi()

    def converge(host: Any, facts: Any, config: Config, desired: Any, options: Any, report: Any) -> tuple[()]:
        pi.config = config
        pi.profiles.append(config.tune.profile)
        files = {file.path: file.content for file in desired.files}
        pi.files[LIMITS] = files[LIMITS].encode()
        failure = pi.failures.pop(0) if pi.failures else None
        if failure:
            raise failure
        return ()

    monkeypatch.setattr(module, "converge", converge)
    monkeypatch.setattr(module, "check_now", lambda *_: None)
    monkeypatch.setattr(module, "proven", lambda host, server, report: PROOF)
    monkeypatch.setattr(module, "read_facts", lambda host, root: pi.facts())
    return pi


def tune(pi: Any, **change: Any) -> module.Outcome:
    return apply(pi, propose(pi, Change(**change)), Options(), Quiet())


def states(pi: Pi) -> list[tuple[str, str]]:
    return [(entry["how"], entry["state"]) for entry in pi.sets()]


def test_the_first_tune_writes_down_what_the_install_had(pi: Pi) -> None:
    tune(pi, profile="eco")
    assert states(pi) == [("install", "replaced"), ("tune", "in effect")]
    assert pi.config.tune.profile == "eco"


def test_undo_goes_back_step_by_step_and_then_says_that_there_is_no_more(pi: Any) -> None:
    tune(pi, profile="eco")
    tune(pi, profile="max")
    for profile in ("eco", "balanced"):
        apply(pi, propose_undo(pi), Options(), Quiet())
        assert pi.config.tune.profile == profile
    with pytest.raises(LanpiError, match="no earlier limits"):
        propose_undo(pi)


def test_what_fails_is_put_back_and_said(pi: Pi) -> None:
    limits = pi.files[LIMITS]
    pi.failures = [LanpiError("Redis did not start")]
    with pytest.raises(LanpiError, match=r"did not work \(Redis did not start\); the previous ones are back"):
        tune(pi, profile="max")
    assert pi.profiles == ["max", "balanced"]
    assert pi.files[LIMITS] == limits
    assert states(pi) == [("install", "in effect"), ("tune", "rolled back")]


def test_a_failed_way_back_says_both_and_what_to_do(pi: Pi) -> None:
    pi.failures = [LanpiError("Redis did not start"), LanpiError("the disk is full")]
    with pytest.raises(LanpiError, match=r"Redis did not start.*disk is full.*lanpi install"):
        tune(pi, profile="max")


def test_a_lost_connection_leaves_the_way_back_written_down(pi: Any) -> None:
    pi.failures = [LanpiError("lost", exit_code=ExitCode.UNREACHABLE)]
    with pytest.raises(LanpiError) as caught:
        tune(pi, profile="max")
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert states(pi) == [("install", "in effect"), ("tune", "started")]
    tune(pi, profile="eco")
    apply(pi, propose_undo(pi), Options(), Quiet())
    assert pi.config.tune.profile == "balanced"


def test_an_undo_brings_back_what_was_even_if_the_formulas_changed_since(pi: Any) -> None:
    tune(pi, profile="eco")
    sets = pi.sets()
    sets[0]["plan"]["redis"]["clients"] = 99
    pi.files[HISTORY] = json.dumps(sets).encode()
    apply(pi, propose_undo(pi), Options(), Quiet())
    assert json.loads(pi.files[LIMITS])["redis"]["clients"] == 99


def test_an_override_is_added_and_taken_away() -> None:
    one = changed(Config(), Change(overrides={"redis.hz": 5}))
    assert one.tune.overrides == {"redis.hz": 5}
    assert changed(one, Change(overrides={"redis.hz": None})).tune.overrides == {}
    assert changed(changed(one, Change(people=5)), Change(people=0)).tune.people is None


def test_without_an_install_nothing_is_tuned(pi: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_facts", lambda host, root: machine(1024))
    with pytest.raises(LanpiError, match="not installed on this Pi") as caught:
        propose(pi, Change())
    assert caught.value.exit_code is ExitCode.BLOCKED
