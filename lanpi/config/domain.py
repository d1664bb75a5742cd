"""What may stand after the @ in people's addresses."""

import ipaddress
import re

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NAME_MAX = 253
_LABEL_MAX = 63
NOT_PUBLIC = ("local", "lan", "home", "internal", "home.arpa", "localdomain", "test", "example", "invalid", "onion")
"""Suffixes for which no public authority gives certificates (RFC 6761, 6762, 7686, 8375; ICANN 2024 for internal)."""


def check_domain(value: str) -> str:
    """A DNS name as RFC 1035 2.3.4 and RFC 1123 2.1 have it, of two labels or more.

    Returns:
        The name in lower case.

    Raises:
        ValueError: with what is wrong, for people.
    """
    name = value.lower()
    _check_whole(name)
    for label in name.split("."):
        _check_label(label)
    _check_meaning(name)
    return name


def is_public(name: str) -> bool:
    """Whether a public authority could give a certificate for it."""
    return not any(name.endswith(f".{suffix}") for suffix in NOT_PUBLIC)


def _check_whole(name: str) -> None:
    if _is_address(name.strip("[]")):
        raise ValueError("an IP address is not a valid domain: people's addresses need a name such as chat.example.org")
    if not name.isascii():
        raise ValueError("use only the letters a-z, digits and hyphens, such as chat.example.org")
    if "_" in name:
        raise ValueError("a domain cannot contain an underscore; use a hyphen")
    if name.endswith("."):
        raise ValueError(f"leave out the dot at the end: {name.rstrip('.')}")
    if len(name) > _NAME_MAX:
        raise ValueError(f"it has {len(name)} characters, but at most {_NAME_MAX} are allowed")


def _check_label(label: str) -> None:
    if len(label) > _LABEL_MAX:
        raise ValueError(f"the part {label[:10]}… has {len(label)} characters, but at most {_LABEL_MAX} are allowed")
    if not _LABEL.fullmatch(label):
        raise ValueError(
            "use letters a-z, digits and inner hyphens, with single dots between the parts, such as chat.example.org"
        )
    # Hyphens in third and fourth place are kept for encodings, of which xn-- is the only one (RFC 5891 4.2.3.1).
    if label[2:4] == "--" and not _is_punycode(label):
        raise ValueError(f"the part {label} looks like an encoded (xn--) name but is not a valid one")


def _check_meaning(name: str) -> None:
    labels = name.split(".")
    if labels[-1] == "localhost" or name == "localhost.localdomain":
        raise ValueError("localhost means the device itself; use HOSTNAME.local or a public name")
    if len(labels) < 2:
        raise ValueError(f"a single word is not a valid domain; without a public name, use {name}.local")
    if labels[-1].isdigit():
        raise ValueError("the last part of a domain cannot be a number")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_punycode(label: str) -> bool:
    if not label.startswith("xn--"):
        return False
    try:
        return not label[4:].encode().decode("punycode").isascii()
    except UnicodeError:
        return False
