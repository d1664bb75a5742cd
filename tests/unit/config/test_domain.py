"""What may stand after the @."""

import re

import pytest

from lanpi.config.domain import check_domain, is_public

LONGEST_LABEL = "a" * 63


@pytest.mark.parametrize(
    "name",
    ["pi.local", "chat.example.org", "a.b", "1and1.de", "xn--mnchen-3ya.de", f"{LONGEST_LABEL}.de", "x.co.uk", "3.de"],
)
def test_good_names(name: str) -> None:
    assert check_domain(name) == name


def test_letters_become_small() -> None:
    assert check_domain("Chat.Example.ORG") == "chat.example.org"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("192.168.1.5", "an IP address is not a valid domain"),
        ("::1", "an IP address is not a valid domain"),
        ("[fe80::1]", "an IP address is not a valid domain"),
        ("chat", "a single word is not a valid domain; without a public name, use chat.local"),
        ("localhost", "localhost means the device itself"),
        ("chat.localhost", "localhost means the device itself"),
        ("localhost.localdomain", "localhost means the device itself"),
        ("my_pi.local", "a domain cannot contain an underscore; use a hyphen"),
        ("münchen.de", "only the letters a-z, digits and hyphens"),
        ("chat.example.org.", "leave out the dot at the end: chat.example.org"),
        ("a..b", "with single dots between the parts"),
        (".a.b", "with single dots between the parts"),
        ("-a.b", "inner hyphens"),
        ("a-.b", "inner hyphens"),
        ("a b.c", "letters a-z, digits"),
        ("a.b\n", "letters a-z, digits"),
        ("https://a.b", "letters a-z, digits"),
        ("user@a.b", "letters a-z, digits"),
        ("", "letters a-z, digits"),
        (f"{LONGEST_LABEL}a.de", "the part aaaaaaaaaa… has 64 characters, but at most 63 are allowed"),
        (f"{LONGEST_LABEL}." * 4 + "de", "it has 258 characters, but at most 253 are allowed"),
        ("ab--cd.de", "looks like an encoded (xn--) name but is not a valid one"),
        ("xn--99999999.de", "looks like an encoded (xn--) name but is not a valid one"),
        ("300.1.2.3", "the last part of a domain cannot be a number"),
    ],
)
def test_bad_names_say_why(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        check_domain(name)


def test_public_names() -> None:
    assert is_public("chat.example.org")
    assert not is_public("pi.local")
    assert not is_public("pi.home.arpa")
    assert is_public("mylocal.de")
