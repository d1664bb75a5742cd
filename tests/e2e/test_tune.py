"""Limits on an installed Pi: each profile, undo, and the way back from limits that do not work."""

import json

import pytest

BREAK = "/etc/systemd/system/redis-server.service.d/zz-test.conf"


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("tune", model="3b+")


@pytest.fixture(scope="module")
def target(pi, lanpi):
    """An installed Pi."""
    target = f"virtual:{pi.name}"
    done = lanpi("install", target, "--yes", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    return target


def plan(lanpi, target):
    done = lanpi("tune", target, "--plan", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def setting(document, name):
    return next(entry for entry in document["settings"] if entry["name"] == name)


def history(lanpi, target):
    return json.loads(lanpi("tune", "history", target, "--json").stdout)["sets"]


def test_the_plan_shows_what_is_in_effect_and_touches_nothing(target, pi, lanpi, on_pi):
    before = on_pi(pi, "cat /var/lib/lanpi/limits.json | md5sum").stdout
    document = plan(lanpi, target)
    assert document["inputs"]["profile"] == "balanced"
    for name in ("server.memory_high_bytes", "server.open_files", "redis.memory_bytes", "erlang.processes"):
        assert setting(document, name)["now"] == setting(document, name)["proposed"], name
    assert any("memory limits" in gap["why"] and gap["next_step"] for gap in document["unenforced"])
    assert on_pi(pi, "cat /var/lib/lanpi/limits.json | md5sum").stdout == before


def test_a_setting_is_explained_with_this_pis_numbers(target, lanpi):
    done = lanpi("tune", target, "--explain", "server.memory_high_bytes")
    assert done.returncode == 0, done.stderr
    assert "160 MiB for the system) x 0.6 (balanced)" in done.stdout
    assert "/etc/systemd/system/lanpi-im.slice" in done.stdout


def test_each_profile_and_undo(target, pi, lanpi, on_pi):
    high = setting(plan(lanpi, target), "server.memory_high_bytes")["now"]
    for profile, hz in (("eco", 1), ("max", 10)):
        done = lanpi("tune", target, "--profile", profile, "--yes")
        assert done.returncode == 0, done.stderr
        assert "messages pass" in done.stdout
        assert setting(plan(lanpi, target), "redis.hz")["now"] == hz
    assert "profile: max" in on_pi(pi, "cat /etc/lanpi/lanpi.yml").stdout
    assert setting(plan(lanpi, target), "server.memory_high_bytes")["now"] > high

    for profile in ("eco", "balanced"):
        assert lanpi("tune", target, "--undo", "--yes").returncode == 0
        assert plan(lanpi, target)["inputs"]["profile"] == profile
    assert setting(plan(lanpi, target), "server.memory_high_bytes")["now"] == high
    assert [entry["how"] for entry in history(lanpi, target)] == ["install", "tune", "tune", "undo", "undo"]
    assert "no earlier limits" in lanpi("tune", target, "--undo", "--yes").stderr


def test_limits_that_do_not_work_are_taken_back_by_themselves(target, pi, lanpi, on_pi):
    # Redis refuses to start with just this value, as a program does that cannot live with a limit.
    # The + leaves the sandbox of its unit, which forbids it to run anything but Redis.
    refusal = r"[Service]\nExecStartPre=+/bin/sh -c \"! grep -q ^maxclients.77 /etc/redis/redis.conf\"\n"
    on_pi(pi, f'printf "{refusal}" > {BREAK} && systemctl daemon-reload', root=True)
    before = on_pi(pi, "md5sum /etc/lanpi/lanpi.yml /etc/redis/redis.conf /var/lib/lanpi/limits.json", root=True).stdout
    done = lanpi("tune", target, "--override", "redis.clients=77", "--yes")
    assert done.returncode == 1, done.stderr
    assert "these limits did not work" in done.stderr
    assert "the previous ones are back, and messages pass" in done.stderr
    after = on_pi(pi, "md5sum /etc/lanpi/lanpi.yml /etc/redis/redis.conf /var/lib/lanpi/limits.json", root=True).stdout
    assert after == before
    assert on_pi(pi, "systemctl is-active redis-server ejabberd").stdout.split() == ["active", "active"]
    assert history(lanpi, target)[-1]["state"] == "rolled back"
    on_pi(pi, f"rm {BREAK} && systemctl daemon-reload", root=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--people", "100000"), "100000 people are too many for this Pi: with profile balanced it holds"),
        (("--override", "redis.hz=900"), "redis.hz can be 1/s to 500/s, not 900/s"),
        (("--profile", "turbo"), "tune.profile"),
        (("--explain", "redis.clien"), "did you mean redis.clients"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_touched(target, lanpi, arguments, message):
    done = lanpi("tune", target, *arguments, "--yes")
    assert done.returncode == 2, done.stdout + done.stderr
    assert message in done.stderr


def test_nothing_to_change_leaves_no_set(target, lanpi):
    sets = history(lanpi, target)
    done = lanpi("tune", target)
    assert done.returncode == 0, done.stderr
    assert "Nothing to change: the limits fit, and messages pass." in done.stdout
    assert history(lanpi, target) == sets
