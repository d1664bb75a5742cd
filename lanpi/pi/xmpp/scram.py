"""SCRAM (RFC 5802, RFC 7677), the client's side; pure but for the nonce."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

MECHANISMS = {"SCRAM-SHA-512": "sha512", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}
"""Mechanism -> hash, the preferred one first."""
MIN_ITERATIONS = 4096
"""RFC 5802 5.1: what a server should ask for at least; less is refused as a downgrade."""
MAX_ITERATIONS = 1_000_000
"""A server must not be able to keep a client busy indefinitely."""
_GS2_HEADER = "n,,"


class ScramError(Exception):
    """The server's part is not valid: nonce, iteration count or signature."""


@dataclass(frozen=True)
class Final:
    """The client's last message and the signature that the server must answer with."""

    message: str
    server_signature: bytes


def nonce() -> str:
    """A fresh client nonce."""
    return secrets.token_urlsafe(24)


def first_message(user: str, client_nonce: str) -> str:
    """The client-first-message."""
    return f"{_GS2_HEADER}{_bare(user, client_nonce)}"


def final_message(mechanism: str, user: str, password: str, client_nonce: str, server_first: str) -> Final:
    """The client-final-message.

    Args:
        mechanism: a key of MECHANISMS.
        user: the local part, as given to first_message.
        password: the account's.
        client_nonce: as given to first_message.
        server_first: what the server answered.

    Raises:
        ScramError: the server's nonce does not continue ours, or it asks for too few or too many rounds.
    """
    name = MECHANISMS[mechanism]
    fields = dict(part.split("=", 1) for part in server_first.split(",") if "=" in part)
    server_nonce, rounds = fields.get("r", ""), int(fields.get("i", "0"))
    if not server_nonce.startswith(client_nonce) or server_nonce == client_nonce:
        raise ScramError("the server's nonce does not continue ours")
    if not MIN_ITERATIONS <= rounds <= MAX_ITERATIONS:
        raise ScramError(f"the server asks for {rounds} rounds, outside the allowed range")
    salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(fields["s"]), rounds)
    client_key = hmac.digest(salted, b"Client Key", name)
    stored_key = hashlib.new(name, client_key).digest()
    without_proof = f"c={base64.b64encode(_GS2_HEADER.encode()).decode()},r={server_nonce}"
    signed = f"{_bare(user, client_nonce)},{server_first},{without_proof}".encode()
    signature = hmac.digest(stored_key, signed, name)
    proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    server_key = hmac.digest(salted, b"Server Key", name)
    return Final(
        message=f"{without_proof},p={base64.b64encode(proof).decode()}",
        server_signature=hmac.digest(server_key, signed, name),
    )


def check_server(final: Final, server_final: str) -> None:
    """Make sure that the server knows the password too.

    Raises:
        ScramError: it does not.
    """
    fields = dict(part.split("=", 1) for part in server_final.split(",") if "=" in part)
    if not hmac.compare_digest(base64.b64decode(fields.get("v", "")), final.server_signature):
        raise ScramError("the server's signature is wrong: it does not know this password")


def _bare(user: str, client_nonce: str) -> str:
    escaped = user.replace("=", "=3D").replace(",", "=2C")
    return f"n={escaped},r={client_nonce}"
