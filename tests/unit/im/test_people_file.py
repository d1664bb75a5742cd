"""Names and lists of people, as operators write them."""

import pytest

from lanpi.errors import LanpiError
from lanpi.im.invitation import LONGEST_SECONDS, card, png, seconds_of, sheet
from lanpi.im.names import local_part, new_name
from lanpi.im.people_file import read_people, write_table
from lanpi.pi.im import invites

DOMAIN = "home.local"


@pytest.mark.parametrize(
    ("text", "name"),
    [("anna", "anna"), ("Anna", "anna"), ("anna@home.local", "anna"), ("ANNA@Home.Local", "anna"), ("安娜", "安娜"),
     ("José", "josé"), ("\uff21nna", "anna"), (" anna ", "anna")],
)  # fmt: skip
def test_names_as_people_write_them(text: str, name: str) -> None:
    assert local_part(text, DOMAIN) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("a b", "it contains a space"),
        ("a/b", "it contains /"),
        ("a'b", "it contains '"),
        ("a\u202eb", r"an invisible character \(U\+202E\)"),
        ("ﬁ", r"U\+FB01"),
        ("anna@elsewhere.local", "is not an address of this Pi"),
        ("x" * 1024, "more than 1023 bytes"),
    ],
)
def test_names_that_no_account_can_have(text: str, said: str) -> None:
    with pytest.raises(LanpiError, match=said):
        local_part(text, DOMAIN)


def test_names_of_lanpis_own() -> None:
    with pytest.raises(LanpiError, match="is reserved"):
        new_name("Lanpi-check-1", DOMAIN)
    assert local_part("lanpi-check-1", DOMAIN) == "lanpi-check-1"


def test_a_list_with_a_reason_for_each_wrong_line() -> None:
    text = (
        "\ufeffName;Person;Group;Password\nanna;Anna;family|work;\n;Nobody;;\nAnna;Again;;\nben;Ben;;short\n\n"
        "c d;x;;\ndora;x;;long enough;extra\nemil;;;long enough\n"
    )
    rows = read_people(text, DOMAIN, names_needed=True)
    assert [(row.line, row.name, row.problem) for row in rows] == [
        (2, "anna", ""),
        (3, "", "'' is not a valid account name: it is empty"),
        (4, "anna", "anna is in line 2 already"),
        (5, "ben", "the password is shorter than 8 characters"),
        (7, "", "'c d' is not a valid account name: it contains a space"),
        (8, "dora", "it has more fields than there are columns"),
        (9, "emil", ""),
    ]
    assert rows[0].groups == ("family", "work")


def test_an_invitation_needs_no_name() -> None:
    rows = read_people("person\nAunt Anna\nUncle Ben\n", DOMAIN, names_needed=False)
    assert [(row.person, row.problem) for row in rows] == [("Aunt Anna", ""), ("Uncle Ben", "")]


@pytest.mark.parametrize("text", ["", "name,shoe\nanna,42\n", "group\nfamily\n", "name\n", "anna\nben\n"])
def test_files_that_are_no_list(text: str) -> None:
    with pytest.raises(LanpiError):
        read_people(text, DOMAIN, names_needed=True)


def test_a_spreadsheet_runs_nothing_from_an_export() -> None:
    assert write_table(("name",), [("=1+1",), ("anna",)]) == "name\n'=1+1\nanna\n"


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("12h", 43200), ("7d", 604800), ("2W", 1209600)])
def test_time_spans(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "31d", "5w", "1.5h", "7 days"])
def test_what_is_no_time_span(text: str) -> None:
    with pytest.raises(LanpiError):
        seconds_of(text)


def test_both_sides_know_the_same_longest_time() -> None:
    assert LONGEST_SECONDS == invites.LONGEST_SECONDS


INVITATION = {
    "id": "abcdefgh", "token": "abcdefghijkl", "kind": "account", "name": "", "person": "", "expires": 1_800_000_000,
}  # fmt: skip


def test_links_by_name_and_by_address() -> None:
    made = card(INVITATION, DOMAIN, ["10.0.0.5", "192.168.1.5"], "192.168.1.5")
    assert made.link == "http://home.local/join/#abcdefghijkl"
    assert made.other_link == made.scanned == "http://192.168.1.5/join/#abcdefghijkl"
    assert made.uri == "xmpp:home.local?register;preauth=abcdefghijkl"
    assert card(INVITATION, DOMAIN, ["10.0.0.5"], "pi.example").other_link == "http://10.0.0.5/join/#abcdefghijkl"
    public = card(INVITATION | {"name": "anna"}, "chat.example.org", ["10.0.0.5"], "10.0.0.5")
    assert (public.other_link, public.scanned) == ("", public.link)
    assert public.uri == "xmpp:anna@chat.example.org?register;preauth=abcdefghijkl"
    assert card(INVITATION, DOMAIN, [], "10.0.0.5").other_link == ""


def test_a_sheet_has_a_card_for_each_and_nothing_from_elsewhere() -> None:
    one = card(INVITATION | {"person": "<b>Anna</b>"}, DOMAIN, ["10.0.0.5"], "")
    page = sheet([one, one], DOMAIN)
    assert page.count("<svg") == 2
    assert "&lt;b&gt;Anna&lt;/b&gt;" in page
    assert "<script" not in page
    assert "src=" not in page
    assert png("x").startswith(b"\x89PNG")
