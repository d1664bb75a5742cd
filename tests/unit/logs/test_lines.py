"""Lines of every source in one form, and no secret in them."""

import json

import pytest

from lanpi.errors import LanpiError
from lanpi.pi.logs import lines, secrets
from lanpi.pi.logs.collect import join
from lanpi.spans import parse_span

SECRETS = json.dumps({"redis_password": "vTQUt_liAPu", "nested": {"more": ["hunter2hunter2"]}, "short": "abc"})


def test_a_crash_report_of_ejabberd_is_one_entry():
    texts = [
        "left over from before",
        "2026-11-23 09:24:55.319601+00:00 [error] <0.1.0>@x:y/1:2 first",
        "  a line more",
        "2026-11-23 09:24:56.000000+00:00 [info] <0.1.0>@x:y/1:2 second",
    ]
    found = list(join(iter(texts), lines.ejabberd))
    assert [entry["level"] for entry in found] == ["error", "info"]
    assert found[0]["text"].endswith("first\n  a line more")
    assert found[0]["when"] == pytest.approx(1795425895.319601)


def test_redis_levels_come_from_its_marks():
    found = lines.redis("1751:M 23 Nov 2026 09:24:30.026 # WARNING Memory overcommit")
    assert found is not None
    assert (found["source"], found["level"], found["text"]) == ("redis", "warning", "WARNING Memory overcommit")


@pytest.mark.parametrize(
    ("entry", "source", "level"),
    [
        ({"UNIT": "ejabberd.service", "PRIORITY": "3", "MESSAGE": "x"}, "ejabberd", "error"),
        ({"_TRANSPORT": "kernel", "PRIORITY": "1", "MESSAGE": "x"}, "kernel", "critical"),
        ({"_SYSTEMD_UNIT": "lanpi-tls.service", "MESSAGE": [120]}, "lanpi-tls", "info"),
    ],
)
def test_journal_entries(entry, source, level):
    found = lines.journal(json.dumps(entry | {"__REALTIME_TIMESTAMP": "1795425895000000"}))
    assert found == {"when": 1795425895.0, "source": source, "level": level, "text": "x"}


def test_the_journal_may_hold_rubbish():
    assert lines.journal('{"MESSAGE": null}') is None
    assert lines.journal("-- No entries --") is None


@pytest.mark.parametrize(
    "text",
    [
        "AUTH vTQUt_liAPu failed",
        "redis: hunter2hunter2",
        "-----BEGIN EC PRIVATE KEY-----\nhunter2hunter2MHc\n-----END EC PRIVATE KEY-----",
        'sql_password: "vTQUt_liAPu"',
    ],
)
def test_known_secrets_never_pass(text):
    redacted = secrets.redactor(secrets.values(SECRETS))(text)
    assert "vTQUt_liAPu" not in redacted
    assert "hunter2hunter2" not in redacted
    assert secrets.REDACTED in redacted


@pytest.mark.parametrize(
    "text", ["password=unknown-here", "<auth mechanism='PLAIN'>AGFkbWlu</auth>", "token: abcdefgh"]
)
def test_what_looks_like_a_secret_does_not_pass(text):
    assert secrets.REDACTED in secrets.redactor([])(text)


def test_ordinary_lines_pass_unchanged():
    text = "Accepted c2s SCRAM-SHA-256 authentication for anna@pi.local by sql backend from 10.0.0.4"
    assert secrets.redactor(secrets.values(SECRETS))(text) == text


def test_spans_of_time():
    assert [parse_span(text) for text in ("90s", "30m", "24h", "7d")] == [90, 1800, 86400, 604800]
    with pytest.raises(LanpiError, match="not a valid time span"):
        parse_span("yesterday")


def test_logins_of_storages_mail_servers_and_web_addresses_are_secrets_too():
    text = (
        "# mine\nSMTP_PASSWORD=s3cr3t word\nTOKEN_NTFY_SH='t0ken-1'\n"
        "RESTIC_REST_USERNAME=username\nAWS_SECRET_ACCESS_KEY=a\n"
    )
    assert secrets.variables(text) == ["s3cr3t word", "t0ken-1"]
    assert secrets.variables(None) == []
    assert secrets.redactor(secrets.variables(text))("sent s3cr3t word to username") == "sent [redacted] to username"


def test_every_file_with_secrets_is_read_for_them():
    files = {
        "/etc/lanpi/secrets.json": '{"redis_password": "from-secrets"}',
        "/etc/lanpi/backup.env": "RESTIC_PASSWORD=from-backup\n",
        "/etc/lanpi/alert.env": "SMTP_PASSWORD=from-alert\n",
    }
    assert sorted(secrets.known(files.get)) == ["from-alert", "from-backup", "from-secrets"]
