"""Who is kept out, from what nft and ejabberd's log say."""

import json

import pytest

from lanpi.errors import LanpiError
from lanpi.flows.let_in import commands
from lanpi.pi.read.limited import bans, connections

NOW = 1795576200.0  # 2026-11-25 03:10:00 UTC
BAN = (
    "2026-11-25 03:07:{second}.890939+00:00 [warning] <0.558.0>@mod_fail2ban:log_and_disconnect/3:218 Connection "
    "attempt from blacklisted IP {address}: Too many (20) failed authentications from this IP address ({address}). The "
    "address will be unblocked at 04:07:19 25.11.2026 UTC"
)


def listing(name, value, expires=3000, packets=7654):
    element = {"elem": {"val": value, "expires": expires, "counter": {"packets": packets, "bytes": 459240}}}
    kept = {"family": "inet", "name": name, "table": "lanpi", "timeout": 3600, "elem": [element]}
    return json.dumps({"nftables": [{"metainfo": {}}, {"set": kept}, {"set": kept | {"name": "people_rate4"}}]})


def test_an_address_over_the_firewalls_limits():
    assert connections(listing("people_limited4", "10.213.47.9"), NOW) == [
        {
            "address": "10.213.47.9",
            "by": "connections",
            "ports": "people",
            "since_epoch": NOW - 600,
            "until_epoch": NOW + 3000,
            "refused": 7654,
        }
    ]
    [found] = connections(listing("ssh_limited6", "2001:db8:1:2::"), NOW)
    assert (found["address"], found["ports"]) == ("2001:db8:1:2::/64", "ssh")
    assert connections(listing("people_limited6", "fe80::1"), NOW)[0]["address"] == "fe80::1"
    assert connections("", NOW) == []


def test_a_ban_lasts_until_its_time_or_until_somebody_lifts_it():
    log = "\n".join(BAN.format(second=second, address="::ffff:192.0.2.9") for second in (19, 20))
    [found] = bans(log, NOW)
    assert (found["address"], found["by"], found["refused"]) == ("192.0.2.9", "passwords", 20)
    assert found["until_epoch"] - found["since_epoch"] == 3600
    assert bans(log, NOW + 3600) == []
    lifted = (
        "\n2026-11-25 03:09:00.1+00:00 [info] <0.1.0>@mod_http_api:log/3:570 API call unban_ip "
        '[{<<"address">>,<<"::ffff:192.0.2.9/128">>}] from 127.255.255.254:1'
    )
    assert bans(log + lifted, NOW) == []


def test_letting_somebody_in_forgets_them_in_every_set():
    assert ["nft", "delete", "element", "inet", "lanpi", "people_rate4", "{", "192.0.2.9", "}"] in commands("192.0.2.9")
    assert all(command[-2] == "2001:db8:1:2::" for command in commands("2001:db8:1:2:3:4:5:6"))
    assert all(command[-2] == "2001:db8:1:2::" for command in commands("2001:db8:1:2::/64"))
    assert all(command[-2] == "fe80::1" for command in commands("fe80::1"))
    with pytest.raises(LanpiError, match="not an IP address"):
        commands("anna")
