"""``lanpi ca``: the certificate that phones must trust."""

import base64
import hashlib
import io
import ssl
from pathlib import Path
from typing import Annotated

import typer

from lanpi import paths
from lanpi.cli.common import installed_server
from lanpi.cli.options import Json, Login, TargetArgument, open_target, with_login
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

app = typer.Typer()


def fingerprint(pem: str) -> str:
    """SHA-256 of the certificate, as phones show it: pairs of hexadecimal digits."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def qr_code(url: str) -> str:
    """The address as a QR code made of characters."""
    import segno

    buffer = io.StringIO()
    segno.make(url, error="l").terminal(buffer, compact=True, border=2)
    return buffer.getvalue()


@app.command()
@with_login
def ca(
    target: TargetArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the certificate to FILE.", show_default=False),
    ] = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Show the Pi's certificate authority: its fingerprint, its address for phones, and a QR code.

    \b
    Examples:
      lanpi ca pi@raspberrypi.local
      lanpi ca pi@raspberrypi.local --output ca.crt
    """
    terminal = Terminal(json_output=json_output)
    with open_target(target, terminal, login) as host:
        server = installed_server(host)
        try:
            pem = host.get(f"{paths.PI_TLS}/ca.crt", root=True).decode()
        except FileNotFoundError as error:
            raise LanpiError(
                "the Pi has no certificate authority of its own: phones already trust its certificate",
                host=host.name,
                exit_code=ExitCode.BAD_INPUT,
            ) from error
        address = server.domain if host.address == "127.0.0.1" else host.address
    url = f"http://{address}/ca.crt"
    if output:
        output.write_text(pem)
    if json_output:
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
        terminal.json({"domain": server.domain, "sha256": fingerprint(pem), "url": url, "der": der})
        return
    if output:
        terminal.result(f"Written to {output}")
    terminal.result(f"Fingerprint (SHA-256): {fingerprint(pem)}")
    terminal.result(f"For phones on the same network: {url}\n")
    terminal.raw(qr_code(url))
    terminal.result("Compare the fingerprint that the phone shows with the one above before you trust it.")
