"""How a way to tell the administrator gets into the settings."""

import json
from typing import Any

import pytest

from lanpi.config.load import effective
from lanpi.config.model import Config
from lanpi.deploy.alert_settings import build_alert_settings
from lanpi.errors import ExitCode, LanpiError
from lanpi.flows import alerts as module
from lanpi.flows.alerts import Way, adding, attempt, forget_secret, keep_secret, read_secrets, removing
from lanpi.hosts.base import Completed
from lanpi.pi.alerts.settings import Settings, Smtp, settings_from

ENV = "/etc/lanpi/alert.env"
MAIL = Way("mailto:anna@example.org", {"smtp_host": "smtp.example.org", "smtp_user": "anna"}, "s3cr3t")


class Pi:
    """A Pi's files, and what the program that is sent there says."""

    name = "pi"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failed: dict[str, str] = {}
        self.asked: list[str] = []
        self.tried: dict[str, bytes] = {}

    def get(self, path: str, *, root: bool = False) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def put(self, path: str, data: bytes, *, mode: int = 0o600, root: bool = False) -> None:
        assert root
        assert mode == 0o600
        self.files[path] = data

    def run(self, argv: list[str], **_: Any) -> None:
        if argv[0] == "rm":
            del self.files[argv[-1]]


@pytest.fixture
def pi(monkeypatch: pytest.MonkeyPatch) -> Pi:
    pi = Pi()

    def run_program(host: Any, entry: str, arguments: list[str], **_: Any) -> Completed:
        pi.asked, pi.tried = list(arguments), dict(pi.files)
        return Completed("python3", 0, json.dumps(pi.failed).encode(), b"")

    monkeypatch.setattr(module, "run_program", run_program)
    return pi


def configured(**alert: Any) -> Config:
    return effective({}, {}, [{"domain": "home.local", "alert": alert}]).config


def test_a_way_is_tried_with_its_secret_and_nothing_is_kept(pi: Any) -> None:
    pi.files[ENV] = b"TOKEN_NTFY_SH=t0ken\n"
    config = configured(to=["xmpp", MAIL.to], **MAIL.settings)
    attempt(pi, config, MAIL)
    sent = settings_from(json.loads(pi.asked[pi.asked.index("--settings") + 1]))
    assert sent == Settings("home.local", "admin", (MAIL.to,), Smtp("smtp.example.org", 587, "starttls", "anna", ""))
    assert pi.tried["/run/lanpi/alert.env"] == b"SMTP_PASSWORD=s3cr3t\nTOKEN_NTFY_SH=t0ken\n"
    assert pi.files == {ENV: b"TOKEN_NTFY_SH=t0ken\n"}
    assert "s3cr3t" not in " ".join(pi.asked)


def test_a_way_that_does_not_work_is_refused_and_forgotten(pi: Any) -> None:
    pi.failed = {MAIL.to: "Connection refused"}
    with pytest.raises(LanpiError, match=r"no alert can be sent to mailto:anna@example\.org: Connection refused"):
        attempt(pi, configured(to=[MAIL.to], **MAIL.settings), MAIL)
    assert pi.files == {}


def test_secrets_stay_as_long_as_somebody_needs_them(pi: Any) -> None:
    keep_secret(pi, MAIL)
    keep_secret(pi, Way("https://ntfy.sh/one", {}, "t0ken"))
    assert read_secrets(pi) == {"SMTP_PASSWORD": "s3cr3t", "TOKEN_NTFY_SH": "t0ken"}
    forget_secret(pi, MAIL.to, ["mailto:ben@example.org"])
    forget_secret(pi, "https://ntfy.sh/one", ["https://ntfy.sh/two"])
    assert len(read_secrets(pi)) == 2
    forget_secret(pi, MAIL.to, ["xmpp", "https://ntfy.sh/two"])
    assert read_secrets(pi) == {"TOKEN_NTFY_SH": "t0ken"}


def test_adding_and_removing() -> None:
    text = "alert:\n  smtp_host: mail.example.org\nbackup:\n  keep_daily: 3\n"
    added = adding(Way("https://ntfy.sh/x", {}))(text)
    assert added.alert.to == ["xmpp", "https://ntfy.sh/x"]
    assert added.alert.smtp_host == "mail.example.org"
    assert added.backup.keep_daily == 3
    assert removing("xmpp", "pi")("alert:\n  to: [xmpp, 'https://ntfy.sh/x']\n").alert.to == ["https://ntfy.sh/x"]


@pytest.mark.parametrize(("way", "why"), [("https://x.org/", "is not one of the ways"), ("xmpp", "is the only way")])
def test_what_cannot_be_removed(way: str, why: str) -> None:
    with pytest.raises(LanpiError, match=why) as refused:
        removing(way, "pi")("")
    assert refused.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize(
    ("alert", "why"),
    [
        ({"to": ["mailto:anna@example.org"]}, "needs a mail server"),
        ({"to": ["anna@example.org"]}, "must be xmpp, mailto:ADDRESS or https"),
        ({"to": ["mailto:anna"]}, "must be xmpp"),
        ({"to": ["https://pi:secret@ntfy.sh/x"]}, "must be xmpp"),
        ({"to": ["ftp://x"]}, "must be xmpp"),
        ({"to": ["xmpp", "xmpp"]}, "listed twice"),
        ({"smtp_user": "anna", "smtp_security": "none"}, "must not travel unencrypted"),
        ({"smtp_host": "a b"}, "host name"),
        ({"smtp_from": "anna"}, "a mail address"),
    ],
)
def test_settings_that_are_refused(alert: dict[str, Any], why: str) -> None:
    with pytest.raises(LanpiError, match=why):
        configured(**alert)


def test_what_the_pi_reads_is_what_is_configured() -> None:
    config = configured(to=["https://ntfy.sh/x"])
    assert settings_from(build_alert_settings(config, "home.local")) == Settings(
        "home.local", "admin", ("https://ntfy.sh/x",)
    )
