"""Owners and modes of what is made at run time."""

import os

import pytest

from lanpi.config.model import Config
from lanpi.deploy.ownership import owned, ownership


def test_the_roles_declare_what_they_make():
    owners = {each.path: each for each in ownership(Config())}
    certificate = owners["/etc/lanpi/tls/server.pem"]
    assert (certificate.owner, certificate.group, certificate.mode) == ("root", "ejabberd", "0640")
    assert owners["/var/lib/ejabberd/ejabberd.db"].owner == "ejabberd"
    assert owners["/etc/lanpi/secrets.json"].mode == "0600"
    assert "/var/lib/ejabberd/ejabberd.db" not in {
        each.path for each in ownership(Config.model_validate({"database": "postgresql"}))
    }


def test_what_is_looked_at_without_a_configuration_is_what_some_configuration_declares():
    paths = {each.path: each for each in owned()}
    assert {each.path for each in ownership(Config())} <= set(paths)
    assert (paths["/etc/redis/redis.conf"].group, paths["/etc/redis/redis.conf"].mode) == ("redis", "0640")
    assert paths["/etc/lanpi/backup.key"].mode == "0600"
    assert "/etc/lanpi/lanpi.yml" not in paths


class Module:
    """As much of AnsibleModule as placing needs."""

    check_mode = False

    def fail_json(self, msg):
        raise AssertionError(msg)


class State:
    def __init__(self):
        self.asked = {}

    def ask(self, verb, units):
        self.asked |= dict.fromkeys(units, verb)

    def save(self):
        pass


@pytest.fixture
def put_right(tmp_path):
    from ansible.module_utils import lanpi_files

    def run(path, mode):
        state, diffs = State(), []
        import grp
        import pwd

        wanted = {"path": str(path), "owner": pwd.getpwuid(os.getuid()).pw_name,
                  "group": grp.getgrgid(os.getgid()).gr_name, "mode": mode, "restarts": ["a.service"]}  # fmt: skip
        changed = lanpi_files.put_right(Module(), state, wanted, diffs)
        return changed, state.asked, [diff["after_header"] for diff in diffs]

    return run


def test_a_wrong_mode_is_put_right_and_its_reader_restarted(tmp_path, put_right):
    path = tmp_path / "server.pem"
    path.touch()
    path.chmod(0o600)
    changed, asked, headers = put_right(path, "0640")
    assert changed
    assert path.stat().st_mode & 0o777 == 0o640
    assert asked == {"a.service": "restart"}
    assert "mode 0600 -> 0640" in headers[0]
    assert put_right(path, "0640") == (False, {}, [])


def test_what_is_not_there_is_left_alone(tmp_path, put_right):
    assert put_right(tmp_path / "none", "0640") == (False, {}, [])


def test_no_link_is_followed_and_no_second_name_touched(tmp_path, put_right):
    real = tmp_path / "shadow"
    real.touch()
    real.chmod(0o600)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "second").hardlink_to(real)
    for name in ("link", "second"):
        with pytest.raises(AssertionError, match="is not what it should be"):
            put_right(tmp_path / name, "0666")
    assert real.stat().st_mode & 0o777 == 0o600
