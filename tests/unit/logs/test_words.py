"""The words of ``lanpi logs``: a target and services, in any order."""

import pytest

from lanpi.errors import ExitCode, LanpiError
from lanpi.logs.read import target_and_services


@pytest.mark.parametrize(
    ("words", "target", "services"),
    [
        ([], None, ()),
        (["redis"], None, ("redis",)),
        (["pi@chat.local"], "pi@chat.local", ()),
        (["pi@chat.local", "redis", "kernel"], "pi@chat.local", ("redis", "kernel")),
        (["redis", "pi@chat.local"], "pi@chat.local", ("redis",)),
        (["redis-server.service", "virtual:pi", "redis"], "virtual:pi", ("redis",)),
        (["lanpi-backup", "home"], "home", ("lanpi-backup",)),
        (["pi@redis"], "pi@redis", ()),
        (["local", "lanpi"], "local", ("lanpi",)),
    ],
)
def test_known_services_are_services_and_the_rest_is_the_target(words, target, services):
    assert target_and_services(words) == (target, services)


def test_two_targets_are_one_too_many():
    with pytest.raises(LanpiError, match="'apache' and 'pi@chat'") as caught:
        target_and_services(["apache", "redis", "pi@chat"])
    assert caught.value.exit_code is ExitCode.BAD_INPUT
