"""How a Pi tells its administrator: ways are tried before they are written into the settings."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lanpi import paths
from lanpi.config.load import effective, parse
from lanpi.config.model import Config
from lanpi.deploy.alert_settings import build_alert_settings
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts.base import Host
from lanpi.pi.alerts.settings import SECRETS, SMTP_PASSWORD, token_name
from lanpi.ship.bundle import run_program

PROGRAM = "lanpi.pi.alerts.send"
TRIED_SECRETS = "/run/lanpi/alert.env"
"""In memory: a secret that turns out to be wrong never reaches the card."""
SUBJECT = "Test"
BODY = "This is a test of the alerts of your Pi. Everything is all right."
TIMEOUT_SECONDS = 300.0
"""Some ways, one after the other, each with its own time limits (lanpi/pi/alerts)."""


@dataclass(frozen=True)
class Way:
    """A way to tell the administrator, with what it needs.

    Attributes:
        to: xmpp, mailto:ADDRESS, https://….
        settings: keys of the section ``alert`` that go with it, such as smtp_host.
        secret: the relay's password or the webhook's token; "" where there is none.
    """

    to: str
    settings: Mapping[str, Any]
    secret: str = ""

    @property
    def secret_name(self) -> str:
        """The secret's name in /etc/lanpi/alert.env; "" for a way that needs none."""
        if self.to == "xmpp":
            return ""
        return SMTP_PASSWORD if self.to.startswith("mailto:") else token_name(self.to)


def read_config(host: Host) -> Config:
    """The configuration of an installed Pi, with its domain.

    Raises:
        LanpiError: BAD_INPUT where lanpi is not installed.
    """
    done = host.run(["cat", paths.PI_INSTALLED, paths.PI_CONFIG], root=True, check=False)
    if done.exit_status != 0:
        raise LanpiError(
            "lanpi is not installed on this Pi",
            host=host.name,
            next_step="Run `lanpi install` first",
            exit_code=ExitCode.BAD_INPUT,
        )
    domain = json.loads(host.get(paths.PI_INSTALLED, root=True))["domain"]
    return _config(read_text(host)).model_copy(update={"domain": domain})


def read_text(host: Host) -> str:
    """The Pi's own lanpi.yml."""
    return host.get(paths.PI_CONFIG, root=True).decode()


def adding(way: Way) -> Callable[[str | None], Config]:
    """The Pi's configuration with one more way."""

    def change(config: Config) -> dict[str, Any]:
        to = list(config.alert.to)
        return {**way.settings, "to": to if way.to in to else [*to, way.to]}

    return lambda text: _with(text, change)


def removing(to: str, host: str) -> Callable[[str | None], Config]:
    """The Pi's configuration without a way.

    Raises (when called):
        LanpiError: BAD_INPUT where it is not in use, or is the last one.
    """

    def change(config: Config) -> dict[str, Any]:
        if to not in config.alert.to:
            raise LanpiError(
                f"{to} is not one of the ways to tell the administrator: {', '.join(config.alert.to)}",
                host=host,
                exit_code=ExitCode.BAD_INPUT,
            )
        if config.alert.to == [to]:
            raise LanpiError(
                f"{to} is the only way to tell the administrator",
                host=host,
                next_step="Add another way first, or switch alerts off: lanpi install --set backup.notify=false",
                exit_code=ExitCode.BAD_INPUT,
            )
        return {"to": [way for way in config.alert.to if way != to]}

    return lambda text: _with(text, change)


def attempt(host: Host, config: Config, way: Way) -> None:
    """Send a test in one way only, with its settings and secret as they will be.

    Raises:
        LanpiError: FAILED with the reason.
    """
    secrets = read_secrets(host) | ({way.secret_name: way.secret} if way.secret else {})
    document = build_alert_settings(config, config.domain or "") | {"to": [way.to]}
    host.run(["mkdir", "-p", TRIED_SECRETS.rpartition("/")[0]], root=True)
    try:
        host.put(TRIED_SECRETS, as_text(secrets), root=True)
        failed = _run(host, "--settings", json.dumps(document), "--secrets", TRIED_SECRETS)
    finally:
        host.run(["rm", "-f", TRIED_SECRETS], root=True)
    if failed:
        raise LanpiError(
            f"no alert can be sent to {way.to}: {failed[way.to]}",
            host=host.name,
            next_step="Check the address, the server's name and the login, then run the command again",
        )


def test(host: Host) -> dict[str, str]:
    """Send a test in every way that is set up; what failed: the way -> why.

    Raises:
        LanpiError: FAILED where the Pi could not even try.
    """
    return _run(host)


def keep_secret(host: Host, way: Way) -> None:
    """Write a way's secret where the Pi's alerts read it (mode 0600)."""
    if way.secret:
        _write(host, read_secrets(host) | {way.secret_name: way.secret})


def forget_secret(host: Host, to: str, left: Iterable[str]) -> None:
    """Remove the secret of a way that is gone, unless one that is left has the same.

    Args:
        host: the Pi.
        to: the way that is gone.
        left: the ways that are still in use.
    """
    name = Way(to, {}).secret_name
    known = read_secrets(host)
    if name in known and name not in {Way(way, {}).secret_name for way in left}:
        del known[name]
        _write(host, known)


def read_secrets(host: Host) -> dict[str, str]:
    """What is in the Pi's alert.env; empty where there is none."""
    try:
        text = host.get(str(SECRETS), root=True).decode()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def as_text(secrets: Mapping[str, str]) -> bytes:
    """Secrets as alert.env has them."""
    return "".join(f"{name}={value}\n" for name, value in sorted(secrets.items())).encode()


def _write(host: Host, secrets: Mapping[str, str]) -> None:
    host.put(str(SECRETS), as_text(secrets), mode=0o600, root=True)


def _run(host: Host, *arguments: str) -> dict[str, str]:
    asked = ["--subject", SUBJECT, "--body", BODY, *arguments]
    done = run_program(host, PROGRAM, asked, root=True, timeout_seconds=TIMEOUT_SECONDS)
    if done.exit_status != 0:
        said = (done.error_text.strip().splitlines() or [f"exit status {done.exit_status}"])[-1]
        raise LanpiError(
            f"no alert can be sent: {said}", host=host.name, next_step="Run `lanpi install`, then try again"
        )
    failed: dict[str, str] = json.loads(done.text)
    return failed


def _with(text: str | None, change: Callable[[Config], dict[str, Any]]) -> Config:
    pi = parse(text or "", "/etc/lanpi/lanpi.yml on the Pi")
    return effective(pi, {}, [{"alert": change(effective(pi, {}).config)}]).config


def _config(text: str) -> Config:
    return effective(parse(text, "/etc/lanpi/lanpi.yml on the Pi"), {}).config
