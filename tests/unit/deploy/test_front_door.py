"""What nginx, ejabberd and the firewall are told about the front door."""

import re

import pytest
import yaml

from lanpi.config.load import effective
from lanpi.deploy.desired import desired_state
from lanpi.deploy.front_door import LIMITS
from lanpi.deploy.roles import declarations
from lanpi.tuning.decide import plan_limits

from .test_desired import content, desired, facts

CONF = "/etc/nginx/nginx.conf"


def serving(domain, mode):
    """A Pi with a name and a way to its certificate."""
    found = facts("pi5-8g-trixie")
    config = effective({}, {}, [{"tls": {"mode": mode}, "domain": domain}]).config
    return desired_state(found, config, plan_limits(found, config), domain)


@pytest.mark.parametrize("registration", ["invite", "closed"])
def test_nothing_of_ejabberds_invitations_is_passed_on(registration):
    """Its start page checks passwords unbanned; the Pi's own page at /join/ registers over WebSocket."""
    state = desired("pi5-8g-trixie", im={"registration": registration})
    text = content(state, CONF)
    assert "location /invites { return 404; }" in text
    assert not re.search(r"proxy_pass \S*invites", text)
    assert "/invites: mod_invites" not in content(state, "/etc/ejabberd/ejabberd.yml")


def test_the_http_api_is_passed_on_only_where_it_is_asked_for_and_cannot_be_claimed():
    def passed(**settings):
        return "location /api/ {" in content(desired(settings.pop("machine", "pi5-8g-trixie"), **settings), CONF)

    assert not passed()
    assert passed(im={"http_api": True})
    old = {"machine": "pi4-2g-bookworm-first-boot"}
    stable = {"http_api": True, "channel": "stable"}
    assert passed(**old, im=stable)
    # ejabberd 23.01 knows lanpi's own socket by an address, which somebody on the Pi could claim at nginx's door.
    assert not passed(**old, im=stable, network={"firewall": False})


@pytest.mark.parametrize(
    ("domain", "mode", "public"),
    [("chat.example.org", "acme", True), ("chat.example.org", "local", False), ("pi.local", "local", False)],
)
def test_only_a_public_name_with_a_public_certificate_insists_on_https(domain, mode, public):
    text = content(serving(domain, mode), CONF)
    assert ("Strict-Transport-Security" in text) is public
    assert ("return 301 https://" in text) is public


def test_acme_challenges_reach_ejabberd_and_what_it_fetches_reaches_nginx():
    state = serving("chat.example.org", "acme")
    listeners = yaml.safe_load(content(state, "/etc/ejabberd/ejabberd.yml"))["listen"]
    # ejabberd looks for a handler of the challenge on a listener without TLS before it asks for a certificate.
    web = next(listener for listener in listeners if listener["port"] == 5280)
    assert web["request_handlers"]["/.well-known/acme-challenge"] == "ejabberd_acme"
    assert "tls" not in web
    text = content(state, CONF)
    challenge = text[text.index("location /.well-known/acme-challenge/") :]
    assert "proxy_pass http://127.0.0.1:5280;" in challenge[: challenge.index("}")]
    assert "PathChanged=/var/lib/ejabberd/acme/live" in content(state, "/etc/systemd/system/lanpi-web-certificate.path")
    assert "checkhost 'chat.example.org'" in content(state, "/usr/lib/lanpi/web-certificate")


def test_nginx_hands_connections_over_where_it_can_and_else_says_where_they_come_from():
    new, old = (content(desired(machine), CONF) for machine in ("pi5-8g-trixie", "pi4-2g-bookworm-first-boot"))
    assert "pass $lanpi_door;" in new
    assert "listen unix:/run/nginx/https.sock ssl;" in new
    assert "proxy_pass $lanpi_door;" in old
    assert "listen unix:/run/nginx/https.sock ssl http2 proxy_protocol;" in old


def test_ejabberd_and_nginx_speak_the_same_tls():
    state = desired("pi5-8g-trixie")
    ciphers = re.search(r"ssl_ciphers (\S+);", content(state, CONF))[1]
    assert ciphers in content(state, "/etc/ejabberd/ejabberd.yml")
    assert "DHE" not in ciphers.replace("ECDHE", "")


def test_what_a_client_says_about_its_address_goes_no_further():
    proxy = content(desired("pi5-8g-trixie"), "/etc/nginx/lanpi-proxy.conf")
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in proxy
    text = content(desired("pi5-8g-trixie", im={"http_api": True, "registration": "invite"}), CONF)
    http = text[text.index("http {") :]
    blocks = [block for block in re.split(r"\n        location ", http) if "proxy_pass" in block]
    assert len(blocks) == 5  # WebSocket, BOSH, host-meta, uploads, the HTTP API
    assert all("include lanpi-proxy.conf;" in block for block in blocks)


def test_the_firewall_bounds_every_address_where_people_come_and_keeps_ssh_apart():
    rules = content(desired("pi5-8g-trixie"), "/etc/lanpi/firewall.nft")
    assert "tcp dport { 80, 443, 3478, 5222, 5223, 8883 } jump people" in rules
    assert "udp dport { 3478 } jump people" in rules
    assert "tcp dport { 22 } jump ssh" in rules
    assert "ip saddr ct count over 4000" in rules
    assert "ip saddr limit rate over 3000/minute burst 4000 packets" in rules
    assert "ip6 saddr & ffff:ffff:ffff:ffff:: ct count over 4000" in rules
    # Loopback is let in before anything is counted.
    chain = rules[rules.index("chain input") :]
    assert chain.index('iif "lo" accept') < chain.index("jump people")
    assert 'tcp dport { 5280, 5224 } ct state new meta skuid != { "root", "www-data", "ejabberd" } reject' in rules


def test_the_limits_are_settings_and_never_more_than_half_of_what_the_pi_holds():
    strict = {"connections_per_address": 100, "new_connections_per_minute": 600}
    rules = content(desired("pi5-8g-trixie", network=strict), "/etc/lanpi/firewall.nft")
    assert "ip saddr ct count over 100 " in rules
    assert "limit rate over 600/minute burst 100 packets" in rules
    huge = content(desired("zero2w-trixie", network={"connections_per_address": 1000000}), "/etc/lanpi/firewall.nft")
    assert max(int(count) for count in re.findall(r"ct count over (\d+)", huge)) <= 8192 // 2


def test_every_limit_says_why_and_is_used():
    text = content(desired("pi5-8g-trixie", im={"http_api": True, "registration": "invite"}), CONF)
    for limit in LIMITS:
        assert limit.why
        assert f"zone={limit.name} burst={limit.burst}" in text


def test_nginx_starts_after_ejabberd_has_let_go_of_its_ports():
    roles = list(declarations())
    assert roles.index("im") < roles.index("web")
