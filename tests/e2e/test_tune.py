"""Limits on an installed Pi: each profile, undo, and the way back from limits that do not work."""

import asyncio
import json
import time

import pytest

from lanpi import virtual
from lanpi.pi.xmpp.client import Client, Login

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
        assert "messages are delivered" in done.stdout
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
    assert "the previous ones are back, and messages are delivered" in done.stderr
    after = on_pi(pi, "md5sum /etc/lanpi/lanpi.yml /etc/redis/redis.conf /var/lib/lanpi/limits.json", root=True).stdout
    assert after == before
    assert on_pi(pi, "systemctl is-active redis-server ejabberd").stdout.split() == ["active", "active"]
    assert history(lanpi, target)[-1]["state"] == "rolled back"
    on_pi(pi, f"rm {BREAK} && systemctl daemon-reload", root=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--people", "100000"), "100000 people are too many for this Pi: with the profile balanced it can serve"),
        (("--override", "redis.hz=900"), "redis.hz must be from 1/s to 500/s, not 900/s"),
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
    assert "Nothing to change: the limits fit, and messages are delivered." in done.stdout
    assert history(lanpi, target) == sets


# Takes all the memory there is and every processor, and stays: as long as it is let.
HOG = """
import os, signal, time
for _ in range(os.cpu_count()):
    if os.fork() == 0:
        signal.alarm(SECONDS)
        while True: pass
signal.alarm(SECONDS)
taken = []
while True:
    taken.append(bytearray(os.urandom(1 << 20) * 8))
"""
PRESSURE_SECONDS = 20


def test_who_is_ended_first_when_memory_is_gone(target, pi, on_pi):
    if on_pi(pi, "sh -c 'echo -1 > /proc/self/oom_score_adj'", root=True, check=False).returncode != 0:
        pytest.skip("this machine does not let a container protect a process (oom_score_adj)")
    line = (
        "for unit in ejabberd redis-server ssh; do "
        "cat /proc/$(systemctl show -P MainPID $unit)/oom_score_adj; done; cat /proc/self/oom_score_adj"
    )
    ejabberd, redis, ssh, anybody = map(int, on_pi(pi, line).stdout.split())
    assert ssh < redis < ejabberd < anybody


def test_under_pressure_messages_come_in_time_and_the_greedy_one_is_ended(target, pi, on_pi, tmp_path):
    if not pi.memory_capped:
        pytest.skip("this machine's kernel has no memory controller, so nothing ends a greedy program")
    ca = tmp_path / "ca.crt"
    ca.write_text(on_pi(pi, "cat /etc/lanpi/tls/ca.crt", root=True).stdout)
    domain = f"{pi.name}.local"
    for name in ("anna", "ben"):
        account = json.dumps({"user": name, "host": domain, "password": "under-pressure-1"})
        on_pi(pi, f"/usr/lib/lanpi/im-call register '{account}'", root=True)
    anna, ben = (Login(name, domain, "under-pressure-1", pi.address, ca=str(ca)) for name in ("anna", "ben"))
    restarts = "systemctl show -P NRestarts -P MainPID ejabberd redis-server"
    before = on_pi(pi, restarts).stdout
    hog = HOG.replace("SECONDS", str(PRESSURE_SECONDS))
    on_pi(pi, f"systemd-run -q --unit hog --slice user.slice python3 -c '{hog}'", root=True)

    delays = asyncio.run(write_for(anna, ben, PRESSURE_SECONDS))
    assert len(delays) > PRESSURE_SECONDS
    assert delays[int(0.99 * len(delays))] < 1.0, delays[-5:]
    assert on_pi(pi, restarts).stdout == before, "nothing that matters was ended"
    ended = on_pi(
        pi, "systemctl show -P Result hog; systemctl stop hog; systemctl reset-failed hog", root=True, check=False
    )
    assert ended.stdout.split()[0] in ("oom-kill", "signal"), ended.stdout


async def write_for(sender, receiver, seconds):
    """Messages one after the other over two sessions that must last; how long each took, in order of length."""
    delays = []
    async with Client(sender) as writing, Client(receiver) as reading:
        await reading.available()
        await reading.ask("<ping xmlns='urn:xmpp:ping'/>", to=receiver.domain)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            sent = time.monotonic()
            await writing.message(receiver.jid, f"pressure {len(delays)}", f"pressure-{len(delays)}")
            await reading.receive(f"pressure {len(delays)}")
            delays.append(time.monotonic() - sent)
            await asyncio.sleep(max(0.0, 0.1 - delays[-1]))
    return sorted(delays)


def test_a_card_that_moved_to_a_larger_pi_is_noticed_and_fitted(target, pi, lanpi):
    def limits():
        lines = json.loads(lanpi("status", target, "--json").stdout)["targets"][0]["lines"]
        return next(line for line in lines if line["key"] == "limits")

    assert limits()["level"] == "ok"
    before = setting(plan(lanpi, target), "server.memory_high_bytes")["now"]
    virtual.move(pi.name, "4-2g")
    found = limits()
    assert found["level"] == "warning"
    assert "made for 1,024 MiB of memory, but there are 2,048 MiB" in found["text"]
    assert "lanpi tune" in found["hint"]
    done = lanpi("tune", target, "--yes")
    assert done.returncode == 0, done.stderr
    assert limits()["level"] == "ok"
    assert setting(plan(lanpi, target), "server.memory_high_bytes")["now"] > 2 * before
