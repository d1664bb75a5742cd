"""People on one virtual Pi: invitations used by a real client, groups, accounts, and a thousand of them at once."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lanpi.virtual import VirtualPi
from tests.e2e import joining
from tests.e2e.joining import Server

Lanpi = Callable[..., subprocess.CompletedProcess[str]]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def pi(virtual_pi: Callable[..., VirtualPi], lanpi: Lanpi) -> VirtualPi:
    made = virtual_pi("people", model="4-2g")
    done = lanpi("install", f"virtual:{made.name}", "--yes", "--json", timeout_seconds=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="module")
def server(pi: VirtualPi, lanpi: Lanpi, tmp_path_factory: pytest.TempPathFactory) -> Server:
    ca = tmp_path_factory.mktemp("people") / "ca.crt"
    assert lanpi("ca", f"virtual:{pi.name}", "--output", str(ca)).returncode == 0
    return Server(pi.address, f"{pi.name}.local", str(ca))


@pytest.fixture
def run(pi: VirtualPi, lanpi: Lanpi) -> Callable[..., dict]:
    """Run a command about people; its JSON."""

    def go(*words: str, code: int = 0, timeout_seconds: float = 300) -> dict:
        done = lanpi(*words, f"virtual:{pi.name}", "--json", timeout_seconds=timeout_seconds)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    return go


def token_of(document: dict) -> str:
    return document["invitations"][0]["link"].rpartition("#")[2]


def invite(run: Callable[..., dict], *options: str) -> str:
    return token_of(run("invite", "new", *options))


def test_a_new_installation_has_invitations_and_a_first_group(run, server) -> None:
    shown = run("group", "show", "everyone")
    assert shown["members"] == [f"admin@{server.domain}"]
    assert "refused" in joining.register_without_token(server, "stranger", PASSWORD)


def test_whoever_joins_finds_the_others_and_the_room(run, server) -> None:
    run("group", "add", "family", "--title", "Our family")
    first, second = invite(run, "--group", "family"), invite(run, "--group", "family", "--name", "Ben")
    assert joining.register(server, first, "anna", PASSWORD) == ""
    assert joining.register(server, second, "ben", PASSWORD) == ""
    began = time.monotonic()
    room = f"family@conference.{server.domain}"
    found = joining.eventually(
        lambda: joining.contacts(server, "anna", PASSWORD), lambda them: f"ben@{server.domain}" in them
    )
    print(f"contacts after {time.monotonic() - began:.1f} s")
    assert found == {f"ben@{server.domain}": "both"}
    assert joining.bookmarks(server, "anna", PASSWORD)[room] in ("true", "1")
    assert joining.enter(server, "anna", PASSWORD, room) == "member"
    assert joining.enter(server, "ben", PASSWORD, room) == "member"
    used = [each for each in run("invite", "list", "--all")["invitations"] if each["state"] == "used"]
    assert {each["used_by"] for each in used} >= {"anna", "ben"}
    assert "token" not in used[0]


def test_nobody_else_gets_into_a_groups_room(run, server) -> None:
    run("user", "add", "outsider", "--generate", "--no-group")
    password = run("user", "passwd", "outsider", "--generate")["password"]
    room = f"family@conference.{server.domain}"
    assert joining.enter(server, "outsider", password, room) == "registration-required"
    assert joining.contacts(server, "outsider", password) == {}


def test_invitations_that_do_not_work(run, server) -> None:
    assert joining.register(server, "wrongwrongwrongwrong", "cara", PASSWORD) == "token: item-not-found"
    token = invite(run)
    # ejabberd 26.07 wraps its own "forbidden" and "conflict" into this (mod_invites_register, to_xmpp_error); the token
    # stays good.
    assert joining.register(server, token, "lanpi-check-9", PASSWORD) == "account: internal-server-error"
    assert joining.register(server, token, "anna", PASSWORD) == "account: internal-server-error"
    assert joining.register(server, token, "cara", PASSWORD) == ""
    assert (
        joining.eventually(
            lambda: joining.register(server, token, "dora", PASSWORD), lambda said: said == "token: item-not-found"
        )
        == "token: item-not-found"
    )
    revoked = run("invite", "new")
    assert run("invite", "revoke", revoked["invitations"][0]["id"])["revoked"]
    assert joining.register(server, token_of(revoked), "dora", PASSWORD) == "token: item-not-found"
    run("invite", "revoke", revoked["invitations"][0]["id"], code=2)


def test_an_invitation_expires_by_itself(run, server) -> None:
    made = run("invite", "new", "--expires", "1m")
    time.sleep(70)
    assert joining.register(server, token_of(made), "dora", PASSWORD) == "token: item-not-found"
    [listed] = [
        each for each in run("invite", "list", "--all")["invitations"] if each["id"] == made["invitations"][0]["id"]
    ]
    assert listed["state"] == "expired"


def test_a_power_cut_between_registration_and_group(run, server, pi, on_pi) -> None:
    token = invite(run, "--group", "family")
    on_pi(pi, "systemctl stop lanpi-welcome.path lanpi-welcome.service", root=True)
    assert joining.register(server, token, "emil", PASSWORD) == ""
    assert joining.contacts(server, "emil", PASSWORD) == {}
    on_pi(pi, "systemctl start lanpi-welcome.path", root=True)
    found = joining.eventually(lambda: joining.contacts(server, "emil", PASSWORD), bool)
    assert f"anna@{server.domain}" in found


def test_the_service_rests_when_no_invitation_is_open(run, pi, on_pi) -> None:
    run("invite", "revoke", "all", "--yes")

    def state() -> str:
        return on_pi(pi, "systemctl is-active lanpi-welcome.service", check=False).stdout.strip()

    assert joining.eventually(state, lambda now: now == "inactive") == "inactive"
    assert on_pi(pi, "systemctl is-active lanpi-welcome.path", check=False).stdout.strip() == "active"


def test_a_new_password_by_link(run, server) -> None:
    token = token_of(run("user", "reset", f"anna@{server.domain}"))
    assert joining.register(server, token, "ben", "another password") == "account: not-allowed"
    assert joining.register(server, token, "anna", "another password") == ""
    assert not joining.can_log_in(server, "anna", PASSWORD)
    assert joining.can_log_in(server, "anna", "another password")
    assert joining.register(server, token, "anna", PASSWORD) != ""


def test_disable_and_enable(run, server) -> None:
    run("user", "disable", "ben")
    assert not joining.can_log_in(server, "ben", PASSWORD)
    assert [each["address"] for each in run("user", "list")["accounts"] if each["disabled"]] == [f"ben@{server.domain}"]
    run("user", "disable", "ben", code=2)
    run("user", "enable", "ben")
    assert joining.can_log_in(server, "ben", PASSWORD)


def test_what_is_removed_with_an_account(run, server) -> None:
    run("user", "reset", "emil")
    gone = run("user", "remove", "emil", "--yes")
    assert gone["groups"] == ["family"]
    assert gone["links"] == 1
    assert f"emil@{server.domain}" not in run("group", "show", "family")["members"]
    run("user", "add", "emil", "--generate", "--no-group")
    password = run("user", "passwd", "emil", "--generate")["password"]
    assert joining.contacts(server, "emil", password) == {}
    room = f"family@conference.{server.domain}"
    assert joining.enter(server, "emil", password, room) == "registration-required"


def test_leaving_a_group(run, server) -> None:
    assert run("group", "leave", "family", "ben")["left"] == ["ben"]
    room = f"family@conference.{server.domain}"
    assert room not in joining.bookmarks(server, "ben", PASSWORD)
    assert joining.enter(server, "ben", PASSWORD, room) == "registration-required"


def test_rooms_and_announcements(run, server) -> None:
    run("room", "create", "kitchen", "--title", "Kitchen")
    run("room", "create", "kitchen", code=2)
    assert joining.enter(server, "ben", PASSWORD, f"kitchen@conference.{server.domain}") == "none"
    assert "kitchen" in json.dumps(run("room", "list"))
    run("room", "destroy", "family", "--yes", code=2)
    run("room", "destroy", "kitchen", "--yes")
    assert run("announce", "Dinner!", "--group", "family")["people"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("invite", "new", "--expires", "tomorrow"), "'tomorrow' is not a valid time span"),
        (("invite", "new", "--expires", "31d"), "at most 30 days"),
        (("invite", "new", "--group", "nobody"), "there is no group nobody"),
        (("invite", "new", "--name", "a b"), "it contains a space"),
        (("invite", "new", "--name", "lanpi-proof-1"), "names that begin with lanpi- are lanpi's own"),
        (("invite", "new", "--name", "admin"), "exists already"),
        (("invite", "new", "--print", "sheet.doc"), "it writes .html and .png"),
        (("invite", "revoke", "nothing"), "there is no open invitation nothing"),
        (("user", "add", "admin", "--generate"), "exists already"),
        (("user", "show", "nobody"), "there is no account nobody@"),
        (("user", "show", "anna@elsewhere.local"), "is not an address of this Pi"),
        (("user", "remove", "admin", "--yes"), "is the only administrator"),
        (("user", "disable", "admin"), "the administrator's account cannot be disabled"),
        (("user", "kick", "anna", "--session", "none"), "has no session none"),
        (("group", "add", "Bad Name"), "is not a valid group name"),
        (("group", "join", "family", "nobody"), "there is no account nobody@"),
        (("group", "show", "nothing"), "there is no group nothing"),
        (("room", "destroy", "nothing", "--yes"), "there is no room nothing@"),
        (("announce", " "), "the message is empty"),
    ],
)
def test_bad_input(run, words: tuple[str, ...], message: str) -> None:
    assert message in run(*words, code=2)["error"]["what"]


def test_a_thousand_accounts(run, pi, lanpi, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name,person\n" + "".join(f"p{number:04},Person {number}\n" for number in range(1000)))
    began = time.monotonic()
    done = run("user", "import", str(people), "--passwords", str(tmp_path / "secret.csv"), "--no-group",
               timeout_seconds=900)  # fmt: skip
    print(f"a thousand accounts: {time.monotonic() - began:.1f} s")
    assert all(each["done"] for each in done["lines"])
    assert len((tmp_path / "secret.csv").read_text().splitlines()) == 1001
    assert len(run("user", "list")["accounts"]) > 1000
    again = lanpi("user", "import", str(people), f"virtual:{pi.name}", "--passwords", str(tmp_path / "none.csv"))
    assert again.returncode == 1
    assert "line 2: the account exists already" in again.stderr


def test_a_thousand_invitations_on_a_sheet(run, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("name,person\n" + "".join(f"q{number:04},Person {number}\n" for number in range(1000)))
    sheet = tmp_path / "sheet.html"
    began = time.monotonic()
    done = run("user", "import", str(people), "--invite", "--print", str(sheet), timeout_seconds=900)
    print(f"a thousand invitations: {time.monotonic() - began:.1f} s")
    assert all(each["done"] for each in done["lines"])
    assert len(re.findall(r"<svg", sheet.read_text())) == 1000
    assert len(run("invite", "revoke", "all", "--yes", timeout_seconds=900)["revoked"]) == 1000


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
