"""The section ``alert`` of lanpi.yml: how the administrator is told when something fails."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lanpi.config.section import Allowed, Section

# Good enough to find a slip; whether the address exists shows the test.
_MAIL = re.compile(r"[^\s@\"'<>,;:\\]+@[^\s@\"'<>,;:\\]+")
_WEB = re.compile(r"https?://[^\s\"'\\@/]+(/[^\s\"'\\]*)?")


def _ways(values: list[str]) -> list[str]:
    for value in values:
        if not (value == "xmpp" or _WEB.fullmatch(value) or _MAIL.fullmatch(value.removeprefix("mailto:"))) or (
            "@" in value and not value.startswith(("mailto:", "http"))
        ):
            raise ValueError(f"{value!r} must be xmpp, mailto:ADDRESS or https://…")
    if len(set(values)) != len(values):
        raise ValueError("the same way is listed twice")
    return values


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:-]+", value):
        raise ValueError("it must be a host name or an IP address")
    return value


def _address(value: str) -> str:
    if not _MAIL.fullmatch(value):
        raise ValueError("it must be a mail address")
    return value


class Alert(Section):
    """How the administrator is told when something fails."""

    to: Annotated[list[str], AfterValidator(_ways), Allowed("a list of xmpp, mailto:ADDRESS, https://…")] = Field(
        ["xmpp"],
        description="Ways to tell the administrator: xmpp (the administrator's account), mailto:ADDRESS, or a web "
        "address that takes a text, such as a topic of ntfy.",
    )
    smtp_host: Annotated[str, AfterValidator(_host), Allowed("a host name or an IP address")] | None = Field(
        None, description="Mail server that sends the Pi's mail."
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection to the mail server is encrypted."
    )
    smtp_user: Annotated[str, Allowed("a user name")] | None = Field(
        None, description="User name at the mail server; its password is in /etc/lanpi/alert.env on the Pi."
    )
    smtp_from: Annotated[str, AfterValidator(_address), Allowed("a mail address")] | None = Field(
        None, description="Sender of the mail; empty uses the user name."
    )

    @model_validator(mode="after")
    def _mail_needs_a_server(self) -> "Alert":
        if self.smtp_host is None and any(way.startswith("mailto:") for way in self.to):
            raise ValueError("mailto: in alert.to needs a mail server: set alert.smtp_host")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("a password must not travel unencrypted: set alert.smtp_security to starttls or tls")
        return self
