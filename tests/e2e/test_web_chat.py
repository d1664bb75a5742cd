"""The chat in a browser: two people on one Pi, one at a desk in English, one with a phone in Chinese."""

import json
import struct
import zlib

import pytest

from .browser import DESKTOP, PHONE, Chat, Complaints, expect, serious_findings, trusting_browser

PICTURE_WIDTH = 300


def picture(width, height):
    """A red PNG."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([200, 60, 60]) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("webchat", model="4-2g")


@pytest.fixture(scope="module")
def target(pi):
    return f"virtual:{pi.name}"


@pytest.fixture(scope="module")
def domain(pi):
    return f"{pi.name}.local"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("webchat")


@pytest.fixture(scope="module")
def people(target, lanpi, folder):
    """The Pi installed, and two accounts: name -> password."""
    # Without invitations: with them, everybody is in a group from the start, and nobody would have to be found.
    done = lanpi("install", target, "--yes", "--set", "im.registration=closed", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    passwords = {}
    for name in ("anna", "ben"):
        file = folder / name
        done = lanpi("user", "add", name, target, "--generate", "--password-file", str(file))
        assert done.returncode == 0, done.stderr
        passwords[name] = file.read_text().strip()
    return passwords


@pytest.fixture(scope="module")
def browser(pi, people, target, lanpi, folder, domain):
    authority = folder / "ca.crt"
    done = lanpi("ca", target, "--output", str(authority))
    assert done.returncode == 0, done.stderr
    home = folder / "home"
    home.mkdir()
    with trusting_browser(home, authority, domain, pi.address) as browser:
        yield browser


@pytest.fixture(scope="module")
def seen(domain):
    return Complaints(f"https://{domain}")


@pytest.fixture
def complaints(seen):
    """Fails a test whose pages asked elsewhere, missed a file or wrote an error."""
    yield seen
    found, seen.found, seen.forgiven = seen.found, [], ()
    assert found == []


@pytest.fixture(scope="module")
def anna(browser, seen):
    """At a desk, in English; each test goes on where the one before stopped."""
    return Chat.open(browser.new_context(locale="en-GB", **DESKTOP), seen)


@pytest.fixture(scope="module")
def ben(browser, seen):
    """With a phone, in Chinese."""
    return Chat.open(browser.new_context(locale="zh-CN", color_scheme="dark", **PHONE), seen)


def test_two_people_find_each_other_and_talk(anna, ben, people, complaints, domain, folder):
    expect(anna.page.get_by_role("button", name="Log in")).to_be_visible()
    expect(ben.page.get_by_role("button", name="登录")).to_be_visible()
    for chat, name in ((anna, "desk-login"), (ben, "phone-login")):
        assert serious_findings(chat.page) == []
        chat.shoot(name)
    anna.log_in("anna", people["anna"])
    ben.log_in("ben", people["ben"])
    anna.add_contact(f"ben@{domain}", "Ben")
    ben.accept_contact(f"anna@{domain}", "Anna")

    anna.contact("Ben").click()
    anna.say("Hello Ben, 你好")
    ben.sees("Hello Ben, 你好")
    ben.say("你好,安娜")
    anna.sees("你好,安娜")

    file = folder / "red.png"
    file.write_bytes(picture(PICTURE_WIDTH, 200))
    anna.send_file(file)
    ben.sees_picture(PICTURE_WIDTH)
    anna.sees_picture(PICTURE_WIDTH)
    for chat, name in ((anna, "desk-chat"), (ben, "phone-chat")):
        assert serious_findings(chat.page) == []
        chat.shoot(name)


def test_a_group_chat_with_a_chinese_name(anna, ben, people, complaints):
    anna.enter_room("家 Family")
    anna.say("Welcome, everybody")
    ben.to_list()
    ben.enter_room("家 Family", found_by="fam")
    ben.sees("Welcome, everybody")
    ben.say("大家好")
    anna.sees("大家好")
    for chat, name in ((anna, "desk-room"), (ben, "phone-room")):
        assert serious_findings(chat.page) == []
        chat.shoot(name)


def test_after_a_reload_everything_is_there_without_a_login(anna, people, complaints):
    anna.page.reload()
    anna.logged_in()
    anna.contact("Ben").click()
    anna.sees("你好,安娜")
    anna.page.locator("#chatrooms .open-room", has_text="家 Family").click()
    anna.sees("大家好")


def test_another_device_finds_the_history_and_the_room(browser, people, complaints):
    context = browser.new_context(locale="de-DE", **DESKTOP)
    anna = Chat.open(context, complaints)
    anna.log_in("anna", people["anna"])
    anna.contact("Ben").click()
    anna.sees("Hello Ben, 你好")
    anna.sees_picture(PICTURE_WIDTH)
    # Bookmarked when it was entered, and entered again by itself (XEP-0402).
    expect(anna.page.locator("#chatrooms .list-item", has_text="家 Family")).to_be_visible()
    context.close()


def test_two_browsers_talk_encrypted(anna, ben, people, complaints):
    ben.to_list()
    ben.contact("Anna").click()
    anna.contact("Ben").click()
    anna.encrypt()
    anna.say("a secret 秘密")
    ben.sees("a secret 秘密")
    expect(ben.page.locator(".chat-msg").last.locator(".fa-lock")).to_be_visible()
    anna.shoot("desk-encrypted")


def test_the_page_opens_without_the_pi(browser, people, domain):
    context = browser.new_context(locale="en-GB", **DESKTOP)
    page = context.new_page()
    page.goto(f"https://{domain}/chat/")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    page.reload()
    expect(page.locator("#converse-login-jid")).to_be_visible()
    expect(page.locator("a.house")).to_have_text(domain)
    context.close()


def test_a_wrong_password_is_told(browser, people, complaints):
    context = browser.new_context(locale="en-GB", **DESKTOP)
    anna = Chat.open(context, complaints)
    anna.page.fill("#converse-login-jid", "anna")
    anna.page.fill("#converse-login-password", "not-the-password")
    anna.page.click("#converse-login button[type=submit]")
    expect(anna.page.locator(".conn-feedback")).to_be_visible()
    context.close()


def test_a_second_install_sends_no_file(target, people, lanpi):
    done = lanpi("install", target, "--yes", "--json", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (said,) = [event for event in events if event["event"] == "outcome"]
    assert said["changed"] == []
    trees = {entry["name"]: entry["differs"] for entry in said["plan"] if entry["kind"] == "tree"}
    assert len(trees) == 2
    assert not any(trees.values())
    assert "Placing the web pages" not in [event.get("step") for event in events]


def test_switched_off_it_leaves_nothing(pi, target, people, lanpi, on_pi, domain):
    done = lanpi("install", target, "--yes", "--set", "im.web_chat=false", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    left = on_pi(pi, "find /var/lib/lanpi/www -path '*chat*'", root=True).stdout
    assert left == ""
