"""Values of the user's own: what they may be, and what refuses them."""

import pytest

from lanpi.config.model import Config
from lanpi.errors import ExitCode, LanpiError
from lanpi.tuning.constants import MIB
from lanpi.tuning.decide import decide
from lanpi.tuning.model import Plan

from .machines import machine

PI = machine(1024)


def planned(overrides: dict[str, int | str], **settings: object) -> Plan:
    return decide(PI, Config.model_validate({"tune": {"overrides": overrides}, **settings})).plan


def test_a_number_a_size_and_a_word() -> None:
    plan = planned({"redis.clients": 100, "server.memory_high_bytes": "300M", "redis.policy": "allkeys-lru"})
    assert plan.redis.clients == 100
    assert plan.server.memory_high_bytes == 300 * MIB
    assert plan.redis.policy == "allkeys-lru"


def test_what_depends_on_an_override_follows_it() -> None:
    plan = planned({"server.memory_max_bytes": "200M"})
    assert plan.server.memory_low_bytes <= plan.server.memory_high_bytes <= 200 * MIB


def test_an_overridden_value_is_marked_with_what_was_computed() -> None:
    decision = decide(PI, Config.model_validate({"tune": {"overrides": {"sysctl.vm.swappiness": 60}}}))
    (setting,) = (s for s in decision.settings if s.overridden)
    assert (setting.name, setting.value, setting.computed) == ("sysctl.vm.swappiness", 60, 100)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("redis.hz", 501, "redis.hz must be from 1/s to 500/s, not 501/s"),
        ("server.cpu_weight", 0, "server.cpu_weight must be from 1 to 10,000, not 0"),
        ("server.memory_max_bytes", "2G", "not 2 GiB"),
        ("server.memory_max_bytes", "2G", "the system keeps 160 MiB"),
        ("server.memory_high_bytes", "10M", "must be from 64 MiB to"),
        ("redis.clients", 5, "ejabberd's pool and the checks need this many"),
        ("redis.policy", "random", "one of noeviction, allkeys-lru"),
        ("redis.memory_bytes", "much", "takes a number of bytes or a size such as 300M, not 'much'"),
        ("redis.hz", "10M", "takes a whole number"),
        ("redis.client", 100, "there is no setting redis.client; did you mean redis.clients"),
        ("ejabberd.sessions", 100, "follows from tune.people"),
        ("postgresql.max_connections", 30, "has no effect on this Pi as it is configured"),
        ("erlang.schedulers", 5, "must be from 1 to 4 \\(the number of cores\\)"),
    ],
)
def test_refused_with_the_bound(name: str, value: int | str, message: str) -> None:
    with pytest.raises(LanpiError, match=message) as caught:
        planned({name: value})
    assert caught.value.exit_code is ExitCode.BAD_INPUT
    assert "--explain" in caught.value.next_step


def test_too_many_people_are_refused_with_the_figure() -> None:
    with pytest.raises(LanpiError, match=r"9999 people are too many .* the profile balanced it can serve \d+ "):
        decide(PI, Config.model_validate({"tune": {"people": 9999}}))
