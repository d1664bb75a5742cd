"""An invitation as people get it: links, QR codes, and sheets to print. Pure but for drawing codes with segno."""

import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import segno

from lanpi.config.domain import is_public
from lanpi.errors import ExitCode, LanpiError

LONGEST_SECONDS = 30 * 86400
_UNITS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(\d{1,6})\s*([mhdw])")


@dataclass(frozen=True)
class Card:
    """What one person gets.

    Attributes:
        identity: by which ``lanpi invite revoke`` knows it.
        kind: ``account`` for a new account, ``reset`` for a new password.
        name: of the account, where it is decided; else "".
        person: for whom it is, in the operator's words; may be "".
        link: opens the Pi's page for joining; without TLS where the device must first learn to trust the Pi. The token
            stands behind the #, which no browser sends, and the page goes on over HTTPS by itself.
        other_link: the same page by the Pi's address, for devices that cannot resolve its name; "" where none works.
        uri: opens an app that is installed already (XEP-0401, XEP-0445).
        expires: seconds since the epoch.
    """

    identity: str
    kind: str
    name: str
    person: str
    link: str
    other_link: str
    uri: str
    expires: int

    @property
    def scanned(self) -> str:
        """What the QR code holds: a name such as home.local is unknown to some phones, an address to none."""
        return self.other_link or self.link

    @property
    def title(self) -> str:
        """For whom it is."""
        return self.person or self.name or self.identity


def card(invitation: Mapping[str, Any], domain: str, addresses: Sequence[str], direct: str) -> Card:
    """An invitation as the Pi tells it, as its person gets it.

    Args:
        invitation: of ``lanpi.pi.im.manage``.
        domain: the XMPP domain, which is the Pi's name in links.
        addresses: those that its certificate covers.
        direct: the address under which lanpi itself reached the Pi, preferred among them.
    """
    token, name = invitation["token"], invitation["name"]
    address = ""
    if not is_public(domain) and addresses:
        address = direct if direct in addresses else addresses[0]
    # A browser shows a warning instead of the page where it does not trust the certificate yet.
    scheme = "https" if is_public(domain) else "http"
    whom = f"{name}@{domain}" if name else domain
    return Card(
        identity=invitation["id"],
        kind=invitation["kind"],
        name=name,
        person=invitation["person"],
        link=f"{scheme}://{domain}/join/#{token}",
        other_link=f"{scheme}://{address}/join/#{token}" if address else "",
        uri=f"xmpp:{whom}?register;preauth={token}",
        expires=invitation["expires"],
    )


def seconds_of(text: str) -> int:
    """A time span such as ``7d``, ``12h`` or ``30m``, in seconds.

    Raises:
        LanpiError: BAD_INPUT for what is none, or longer than a token can live.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not seconds:
        raise LanpiError(
            f"{text!r} is not a valid time span",
            next_step="Write a number and a unit: 30m, 12h, 7d or 2w",
            exit_code=ExitCode.BAD_INPUT,
        )
    if seconds > LONGEST_SECONDS:
        raise LanpiError(
            f"an invitation can be valid for at most {LONGEST_SECONDS // 86400} days",
            next_step="Choose a shorter time span, such as 7d",
            exit_code=ExitCode.BAD_INPUT,
        )
    return seconds


def terminal_code(text: str) -> str:
    """A QR code made of characters."""
    buffer = io.StringIO()
    segno.make(text, error="l").terminal(buffer, compact=True, border=2)
    return buffer.getvalue()


def png(text: str) -> bytes:
    """A QR code as a picture, eight pixels to a module."""
    buffer = io.BytesIO()
    segno.make(text, error="m").save(buffer, kind="png", scale=8, border=4)
    return buffer.getvalue()


def moment(epoch_seconds: float) -> str:
    """A time for people, in this machine's time zone."""
    return datetime.fromtimestamp(epoch_seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


_STYLE = """
@page { size: A4; margin: 12mm }
body { font: 11pt/1.4 system-ui, sans-serif; margin: 0; color: #000; background: #fff }
.card { break-inside: avoid; display: flex; gap: 8mm; align-items: center; border: 1px dashed #999; padding: 6mm;
  margin: 0 0 6mm }
.card svg { width: 42mm; height: 42mm; flex: none }
h2 { margin: 0 0 2mm; font-size: 15pt }
p { margin: 0 0 1.5mm }
code { font-size: 9pt; overflow-wrap: anywhere }
"""


def sheet(cards: Sequence[Card], domain: str) -> str:
    """A page for the printer with all invitations, to be cut along the lines; needs nothing from anywhere."""
    parts = "\n".join(_card_html(each) for each in cards)
    return _page(f"Invitations to {domain}", parts)


def password_sheet(rows: Sequence[tuple[str, str]], domain: str) -> str:
    """A page for the printer with accounts and their passwords: where a server has no invitations.

    Args:
        rows: address and password of each.
        domain: the XMPP domain.
    """
    parts = "\n".join(
        f'<section class="card"><div><h2>{html.escape(address)}</h2>'
        f"<p>Password: <code>{html.escape(password)}</code></p>"
        f"<p>First make your device trust the server: open <code>http://{html.escape(domain)}/</code>. Then install an "
        "app (Conversations or Cheogram on Android, Monal on an iPhone, Gajim or Dino on a computer) and log in with "
        "this address and password.</p></div></section>"
        for address, password in rows
    )
    return _page(f"Accounts on {domain}", parts)


def _card_html(each: Card) -> str:
    code = io.BytesIO()
    segno.make(each.scanned, error="m").save(code, kind="svg", xmldecl=False, svgns=True, border=2, omitsize=True)
    what = "Choose a new password" if each.kind == "reset" else "You are invited to chat"
    named = f"<p>Your address: <strong>{html.escape(each.name)}</strong></p>" if each.name else ""
    links = [f"<p>or open <code>{html.escape(link)}</code></p>" for link in (each.link, each.other_link) if link]
    return (
        f'<section class="card">{code.getvalue().decode()}<div><h2>{html.escape(each.title)}</h2>'
        f"<p>{what}: scan this code with your phone's camera,</p>{''.join(links)}{named}"
        f"<p>Valid until {moment(each.expires)}, for one person.</p></div></section>"
    )


def _page(title: str, parts: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{parts}\n</body></html>\n"
    )
