"""The desired state, from recorded machines: pure, so no Pi is needed."""

import json
from pathlib import Path

import pytest
import yaml

from lanpi import paths
from lanpi.config.load import effective
from lanpi.deploy.desired import desired_state, swap_mechanism
from lanpi.deploy.ports import openings
from lanpi.deploy.roles import ROLES, declarations
from lanpi.facts.read import facts_from_json
from lanpi.im.versions import FEATURES, has_feature
from lanpi.pi.im.invites import LONGEST_SECONDS
from lanpi.tuning.decide import plan_limits

MACHINES = Path(__file__).parents[2] / "data/facts"


def facts(machine):
    return facts_from_json((MACHINES / machine / "facts.json").read_text())


def machines():
    return sorted(path.parent.name for path in MACHINES.glob("*/facts.json"))


def desired(machine, **settings):
    found = facts(machine)
    config = effective({}, {}, [settings]).config
    return desired_state(found, config, plan_limits(found, config), "chat.example.org")


def named(domain, **settings):
    found = facts("pi5-8g-trixie")
    config = effective({}, {}, [settings]).config
    return found.hostname, desired_state(found, config, plan_limits(found, config), domain)


def test_a_name_that_is_not_the_pis_own_is_told_on_the_network_beside_it():
    hostname, state = named("old.local")
    assert "name=old.local\n" in content(state, "/usr/lib/lanpi/mdns-name")
    assert "avahi-utils" in state.packages
    assert "lanpi-name.service" in [unit["name"] for unit in state.units]
    for domain, settings in (
        (f"{hostname.lower()}.local", {}),
        ("chat.example.org", {}),
        ("old.local", {"network": {"hostname_mdns": False}}),
    ):
        assert "avahi-utils" not in named(domain, **settings)[1].packages


def content(state, path):
    return next(file.content for file in (*state.early_files, *state.files) if file.path == path)


@pytest.mark.parametrize("machine", machines())
def test_every_recorded_machine_has_a_desired_state(machine):
    state = desired(machine)
    assert "ejabberd" in state.packages
    for file in state.files:
        if file.path.endswith(".py"):
            compile(file.content, file.path, "exec")
        else:
            assert "{{" not in file.content, file.path
            assert "{%" not in file.content, file.path
    yaml.safe_load(content(state, "/etc/ejabberd/ejabberd.yml"))


@pytest.mark.parametrize("machine", machines())
def test_no_file_is_placed_twice(machine):
    placed = [file.path for file in (*desired(machine).early_files, *desired(machine).files)]
    assert len(placed) == len(set(placed))


def test_private_by_default():
    config = yaml.safe_load(content(desired("pi5-8g-trixie"), "/etc/ejabberd/ejabberd.yml"))
    ports = {listener["port"] for listener in config["listen"]}
    # 80 and 443 are nginx's; its two ways to ejabberd are on loopback.
    assert ports == {5222, 5223, 5224, 5280, 3478, "unix:/var/lib/ejabberd/api.sock"}
    assert {listener["ip"] for listener in config["listen"] if listener["port"] in (5224, 5280)} == {"127.0.0.1"}
    assert config["trusted_proxies"] == ["127.0.0.1"]
    assert config["s2s_access"] == "s2s"
    assert "mod_register" not in config["modules"]
    assert "mod_version" not in config["modules"]
    https = next(listener for listener in config["listen"] if listener["port"] == 5280)
    assert "/api" not in https["request_handlers"]
    assert "/admin" not in https["request_handlers"]


@pytest.mark.parametrize(
    ("settings", "port"),
    [
        ({"im": {"mqtt": True}}, 8883),
        ({"im": {"federation": True}}, 5269),
    ],
)
def test_a_feature_opens_its_port_and_no_other(settings, port):
    plain, more = desired("pi5-8g-trixie"), desired("pi5-8g-trixie", **settings)
    rules = [content(state, "/etc/lanpi/firewall.nft").splitlines() for state in (plain, more)]
    added = set(rules[1]) - set(rules[0])
    assert len(added) == 1
    assert f"dport {port} accept" in added.pop()


def test_the_firewall_never_closes_ssh():
    config = effective({}, {}, []).config
    assert any(opening.service == "SSH" and opening.first == 22 for opening in openings(config))
    assert {2222, 22} <= {opening.first for opening in openings(config, (22, 2222))}


def test_secrets_are_placeholders_until_they_are_on_the_pi():
    state = desired("pi5-8g-trixie")
    assert "requirepass @LANPI_SECRET:redis_password@" in content(state, "/etc/redis/redis.conf")


@pytest.mark.parametrize(
    ("machine", "owner"),
    [
        ("pi5-8g-trixie", "rpi-swap"),
        ("pi4-2g-bookworm-first-boot", "dphys-swapfile"),
        ("ubuntu-noble", "zram-generator"),
    ],
)
def test_swap_is_configured_through_its_owner(machine, owner):
    assert swap_mechanism(facts(machine), effective({}, {}, []).config) == owner
    placed = [file.path for file in desired(machine).files]
    files = {
        "rpi-swap": "/etc/rpi/swap.conf.d/90-lanpi.conf",
        "dphys-swapfile": "/etc/dphys-swapfile",
        "zram-generator": "/usr/lib/lanpi/swapfile",
    }
    assert [path for path in files.values() if path in placed] == [files[owner]]


def test_a_virtual_machine_has_swap_of_its_own_and_no_clock_speed():
    """A container shares both with its host; a virtual machine has a kernel, and no hardware."""
    guest, container = desired("vm-python3-minimal"), desired("virtual-cut-off")
    units = [{unit["name"] for unit in state.units} for state in (guest, container)]
    assert "systemd-zram-generator" in guest.packages
    assert "lanpi-swapfile.service" in units[0]
    assert "systemd-zram-generator" not in container.packages
    assert "lanpi-swapfile.service" not in units[1]
    for names in units:
        assert not names & {"lanpi-governor.service", "lanpi-disk.service"}


def test_swap_is_left_alone_when_it_is_off():
    found = facts("pi5-8g-trixie")
    assert swap_mechanism(found, effective({}, {}, [{"memory": {"swap": "off"}}]).config) == "none"


def test_the_stable_channel_takes_nothing_from_backports():
    state = desired("pi5-8g-trixie", im={"channel": "stable"})
    assert state.early_files == ()
    assert "Backports" not in content(state, "/etc/apt/apt.conf.d/52lanpi-unattended-upgrades")


def test_registration_by_invitation_needs_a_token_and_nothing_else():
    state = desired("pi5-8g-trixie", im={"registration": "invite"})
    server = yaml.safe_load(content(state, "/etc/ejabberd/ejabberd.yml"))
    invites = server["modules"]["mod_invites"]
    assert invites["landing_page"] == "https://chat.example.org/join/#{{ invite.token }}"
    assert invites["token_expire_seconds"] == LONGEST_SECONDS
    assert server["modules"]["mod_register"]["allow_modules"] == ["mod_invites"]
    assert server["registration_timeout"] == "infinity"
    assert server["access_rules"]["register"] == [{"deny": "reserved"}, {"allow": "all"}]
    assert server["acl"]["reserved"] == {"user_regexp": "^lanpi-"}
    closed = yaml.safe_load(content(desired("pi5-8g-trixie"), "/etc/ejabberd/ejabberd.yml"))
    assert not {"mod_invites", "mod_register"} & set(closed["modules"])


def test_features_follow_the_release():
    assert has_feature("invites", "trixie", "backports")
    assert not has_feature("invites", "trixie", "stable")
    assert not has_feature("listener_tag", "bookworm", "stable")
    for feature in FEATURES:
        assert has_feature(feature, "forky", "stable")


def test_every_role_declares_and_every_template_is_placed():
    """No template lies about unused, and no declaration names one that is not there."""
    declared = declarations()
    assert tuple(declared) == ROLES
    named = set()
    for content in declared.values():
        for entry in [*content.early_files, *content.files]:
            if not (entry.content or entry.package):
                named.add((entry.template or entry.path.lstrip("/")) + ".j2")
        named |= {f"{entry.template}.j2" for entry in content.fragments}
    there = {str(path.relative_to(paths.templates())) for path in paths.templates().rglob("*.j2")}
    assert named == there


def test_variables_hold_no_secret_and_are_json():
    json.dumps(desired("pi5-8g-trixie").variables())


@pytest.mark.parametrize(("schedule", "starts_a_day"), [("hourly", 24), ("02:30", 1)])
def test_a_day_s_backups_are_not_more_than_systemd_allows(schedule, starts_a_day):
    """systemd refuses a unit that starts too often, whether its runs fail or not; five are left for failures."""
    unit = content(desired("pi5-8g-trixie", backup={"schedule": schedule}), "/etc/systemd/system/lanpi-backup.service")
    limit = next(int(line.partition("=")[2]) for line in unit.splitlines() if line.startswith("StartLimitBurst="))
    assert limit == starts_a_day + 5


def test_the_drill_s_server_is_the_live_one_without_its_ports_and_redis():
    state = desired("pi5-8g-trixie", im={"federation": True, "mqtt": True, "http_api": True})
    live = yaml.safe_load(content(state, "/etc/ejabberd/ejabberd.yml"))
    second = yaml.safe_load(content(state, "/etc/lanpi/drill.yml"))
    assert [listener["port"] for listener in second["listen"]] == [5223, "unix:/var/lib/ejabberd/api.sock"]
    assert "redis_password" not in second
    assert second["default_ram_db"] == "mnesia"
    assert second["modules"] == live["modules"]
    assert second["sql_database"] == live["sql_database"]
