"""Secrets on the Pi: never shown, never replaced where something depends on them."""

import base64
import hashlib
import json

import pytest

REDIS = "bind 127.0.0.1\nrequirepass @LANPI_SECRET:redis_password@\n"
SERVER = 'redis_server: 127.0.0.1\nredis_password: "@LANPI_SECRET:redis_password@"\n'
KEY = "@LANPI_SECRET:backup_password@\n"


@pytest.fixture
def pi(tmp_path, monkeypatch):
    """The secrets module with its file in a folder, and a way to make wanted files there."""
    from ansible.module_utils import lanpi_secrets, lanpi_state

    monkeypatch.setattr(lanpi_secrets, "SECRETS", tmp_path / "secrets.json")
    monkeypatch.setattr(lanpi_state.os, "fchown", lambda *_: None)
    return lanpi_secrets


def wanted(path, template):
    return {"path": str(path), "content": base64.b64encode(template.encode()).decode()}


@pytest.fixture
def backup_key(tmp_path):
    return {
        "name": "backup_password",
        "what": "the key of the backups",
        "file": str(tmp_path / "backup.key"),
        "needed_by": [str(tmp_path / "repository")],
        "hint": "it is on the recovery sheet",
    }


def test_lost_secrets_are_read_back_from_the_files_that_hold_them(pi, tmp_path, backup_key):
    redis, server, key = (tmp_path / name for name in ("redis.conf", "ejabberd.yml", "backup.key"))
    redis.write_text("bind 127.0.0.1\nrequirepass by-hand\n")
    placed = 'redis_server: 127.0.0.1\nredis_password: "as-placed"\n'
    server.write_text(placed)
    key.write_text("the-old-key\n")
    files = [wanted(redis, REDIS), wanted(server, SERVER), wanted(key, KEY)]
    digests = {str(server): hashlib.sha256(placed.encode()).hexdigest(), str(key): "another"}
    secrets = pi.Secrets(check_mode=False)
    secrets.recover(files, digests, [backup_key])
    assert secrets.fill_in(KEY) == "the-old-key\n"
    # What lanpi placed is believed before what somebody changed.
    assert secrets.fill_in(REDIS) == "bind 127.0.0.1\nrequirepass as-placed\n"
    assert json.loads(pi.SECRETS.read_text()) == {"backup_password": "the-old-key", "redis_password": "as-placed"}


def test_a_check_recovers_without_writing(pi, tmp_path, backup_key):
    (tmp_path / "backup.key").write_text("the-old-key\n")
    secrets = pi.Secrets(check_mode=True)
    secrets.recover([wanted(tmp_path / "backup.key", KEY)], {}, [backup_key])
    assert secrets.mask("the-old-key\n") == KEY
    assert not pi.SECRETS.exists()


@pytest.mark.parametrize("trace", ["repository", "placed before"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_secret_that_backups_depend_on_is_not_made_again(pi, tmp_path, backup_key, trace, check_mode):
    digests = {}
    if trace == "repository":
        (tmp_path / "repository").touch()
    else:
        digests = {backup_key["file"]: "abc"}
    secrets = pi.Secrets(check_mode=check_mode)
    with pytest.raises(pi.SecretLostError, match=r"the key of the backups is lost.*it is on the recovery sheet"):
        secrets.recover([wanted(tmp_path / "backup.key", KEY)], digests, [backup_key])
    assert not pi.SECRETS.exists()


def test_on_a_fresh_pi_it_is_made(pi, tmp_path, backup_key):
    secrets = pi.Secrets(check_mode=False)
    secrets.recover([wanted(tmp_path / "backup.key", KEY)], {}, [backup_key])
    assert len(secrets.fill_in(KEY)) > 40


def test_a_damaged_secrets_file_is_recovered_and_kept(pi, tmp_path, backup_key):
    pi.SECRETS.write_text('{"backup_password": "the-ol')
    (tmp_path / "backup.key").write_text("the-old-key\n")
    secrets = pi.Secrets(check_mode=False)
    secrets.recover([wanted(tmp_path / "backup.key", KEY)], {}, [backup_key])
    assert json.loads(pi.SECRETS.read_text()) == {"backup_password": "the-old-key"}
    assert (tmp_path / "secrets.damaged").read_text() == '{"backup_password": "the-ol'


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("requirepass unknown-value\n", REDIS),
        ("requirepass   unknown-value\n", REDIS),
        ('redis_password: "unknown-value"\n', SERVER),
        ("redis_password: unknown-value\n", SERVER),
        ("unknown-value\n", KEY),
        ("# a comment\nunknown-value\n", KEY),
        ("masterauth unknown-value\n", REDIS),
        ("-----BEGIN EC PRIVATE KEY-----\nunknown-value\n-----END EC PRIVATE KEY-----\n", SERVER),
    ],
)
def test_a_diff_hides_a_secret_that_nobody_knows(pi, text, template):
    assert "unknown-value" not in pi.Secrets(check_mode=True).mask(text, template)


def test_a_private_file_that_is_no_longer_placed_shows_no_secret(pi):
    text = 'max_size: 5\nsql_password: "unknown-value"\n'
    assert pi.Secrets(check_mode=True).mask(text, private=True) == 'max_size: 5\nsql_password: "[redacted]"\n'


@pytest.mark.parametrize("template", [REDIS, SERVER, KEY])
def test_a_known_secret_shows_as_its_placeholder(pi, template):
    pi.SECRETS.write_text('{"redis_password": "known-value", "backup_password": "known-key"}')
    secrets = pi.Secrets(check_mode=True)
    assert secrets.mask(secrets.fill_in(template), template, private=True) == template


def test_what_is_no_secret_stays_readable(pi):
    text = "auth_password_format: scram\nmax_size: 5\n# the password is generated\n"
    assert pi.Secrets(check_mode=True).mask(text, SERVER) == text


def test_diffs_are_capped_longest_first_and_say_so():
    from ansible.module_utils import lanpi_files

    diffs = [lanpi_files.difference("/long", "", "x" * 500), lanpi_files.difference("/short", "a", "b")]
    long, short = lanpi_files.capped(diffs, room=100)
    assert short["after"] == "b"
    assert (long["before"], long["after"]) == ("", "")
    assert "500 after: too long to be shown" in long["after_header"]
