"""Whoever is invited comes in with a browser alone: the page of the house, trust, an account, the chat."""

import json
import plistlib
import re
import secrets
import ssl
import urllib.request

import pytest

from .browser import DESKTOP, PHONE, Chat, Complaints, expect, serious_findings, trusting_browser

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def pi(virtual_pi):
    return virtual_pi("join", model="4-2g")


@pytest.fixture(scope="module")
def domain(pi):
    return f"{pi.name}.local"


@pytest.fixture(scope="module")
def authority(pi, lanpi, tmp_path_factory):
    target = f"virtual:{pi.name}"
    done = lanpi("install", target, "--yes", "--set", "im.registration=invite", timeout_seconds=600)
    assert done.returncode == 0, done.stderr
    file = tmp_path_factory.mktemp("join") / "ca.crt"
    done = lanpi("ca", target, "--output", str(file))
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture(scope="module")
def browser(pi, authority, domain, tmp_path_factory):
    with trusting_browser(tmp_path_factory.mktemp("home"), authority, domain, pi.address) as browser:
        yield browser


@pytest.fixture
def complaints(domain):
    """Fails a test whose pages asked elsewhere, missed a file or wrote an error."""
    seen = Complaints(f"https://{domain}")
    yield seen
    assert seen.found == []


@pytest.fixture
def invitation(pi, domain, on_pi, authority):
    """A new token."""
    line = f"/usr/lib/lanpi/im-call generate_invite '{json.dumps({'host': domain})}'"
    return re.search(r"preauth=([a-zA-Z0-9]+)", on_pi(pi, line, root=True).stdout)[1]


def open_page(context, complaints, path):
    page = context.new_page()
    complaints.watch(page)
    page.goto(f"{complaints.origin}{path}")
    return page


@pytest.mark.parametrize(
    ("language", "kind", "title", "scheme"),
    [("en-GB", DESKTOP, "Open the chat", "light"), ("zh-CN", PHONE, "打开聊天", "dark")],
    ids=["desk", "phone"],
)
def test_the_page_of_the_house(browser, complaints, domain, language, kind, title, scheme):
    context = browser.new_context(locale=language, color_scheme=scheme, **kind)
    page = open_page(context, complaints, "/")
    expect(page.get_by_role("link", name=title)).to_be_visible()
    expect(page.locator("h1")).to_contain_text(domain)
    assert serious_findings(page) == []
    Chat(page, complaints.origin).shoot(f"house-{language}")
    page.get_by_role("link", name=title).click()
    expect(page.locator("#converse-login-jid")).to_be_visible()
    context.close()


def test_an_invitation_ends_in_the_chat(browser, complaints, domain, invitation):
    context = browser.new_context(locale="zh-CN", color_scheme="dark", user_agent=IPHONE, **PHONE)
    page = open_page(context, complaints, f"/join/#{invitation}")
    page.fill("#name", "王 小明")
    expect(page.locator("#address")).to_contain_text(f"王-小明@{domain}")
    page.fill("#password", "short")
    page.click("#make")
    expect(page.locator("#complaint")).to_have_text("密码太短。")
    page.fill("#password", PASSWORD)
    assert serious_findings(page) == []
    Chat(page, complaints.origin).shoot("join-account")
    page.click("#make")
    expect(page.locator("#own")).to_contain_text(f"王-小明@{domain}")
    assert serious_findings(page) == []
    Chat(page, complaints.origin).shoot("join-done")
    page.click("#chat")
    chat = Chat(page, complaints.origin)
    chat.logged_in()
    expect(page.locator("converse-user-profile")).to_contain_text("王 小明")
    assert page.url == f"{complaints.origin}/chat/"
    # Nothing that the browser keeps has the password in it.
    assert PASSWORD not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    page.reload()
    chat.logged_in()
    context.close()


def test_a_used_and_a_wrong_invitation_are_told(browser, complaints, invitation):
    context = browser.new_context(locale="en-GB", **DESKTOP)
    for name, token in (("carla", invitation), ("dora", invitation), ("dora", secrets.token_hex(12))):
        page = open_page(context, complaints, f"/join/#{token}")
        if name == "carla":
            page.fill("#name", name)
            page.fill("#password", PASSWORD)
            page.click("#make")
            expect(page.locator("#own")).to_contain_text("carla@")
        else:
            expect(page.locator("#unusable")).to_contain_text("no longer good")
            expect(page.locator("#account")).to_be_hidden()
        page.close()
    context.close()


def test_an_invitation_by_name_and_one_for_a_new_password(browser, complaints, pi, lanpi):
    """Made as an operator makes them; the second one opens the account of the first."""
    context = browser.new_context(locale="en-GB", **DESKTOP)
    target = f"virtual:{pi.name}"
    for command, title, done in (
        (("invite", "new", target, "--name", "zoe"), "Your name and a password", "Welcome, zoe"),
        (("user", "reset", "zoe", target), "A new password", "Your password has changed"),
    ):
        made = lanpi(*command, "--json")
        assert made.returncode == 0, made.stderr
        (invitation,) = json.loads(made.stdout)["invitations"]
        page = open_page(context, complaints, f"/join/#{invitation['link'].partition('#')[2]}")
        expect(page.locator("#account-title")).to_have_text(title)
        expect(page.locator("#name")).to_have_value("zoe")
        assert not page.locator("#name").is_editable()
        page.fill("#password", f"{PASSWORD} {command[0]}")
        page.click("#make")
        expect(page.locator("#welcome")).to_have_text(done)
        page.click("#chat")
        Chat(page, complaints.origin).logged_in()
        page.close()
    context.close()


def test_a_name_that_somebody_has(browser, complaints, invitation):
    """Carla has come in with the test before."""
    context = browser.new_context(locale="en-GB", **DESKTOP)
    page = open_page(context, complaints, f"/join/#{invitation}")
    page.fill("#name", "carla")
    page.fill("#password", PASSWORD)
    page.click("#make")
    expect(page.locator("#complaint")).to_contain_text("has this name already")
    page.fill("#name", "erik")
    page.click("#make")
    expect(page.locator("#own")).to_contain_text("erik@")
    context.close()


def test_before_it_is_trusted_a_phone_gets_its_own_steps(strange_browser, domain, pi, invitation):
    context = strange_browser.new_context(locale="en-GB", user_agent=IPHONE, **PHONE)
    page = context.new_page()
    page.goto(f"http://{domain}/join/#{invitation}")
    expect(page.locator("#trust")).to_be_visible()
    expect(page.locator("[data-system=ios]")).to_be_visible()
    expect(page.locator("[data-system=android]")).to_be_hidden()
    expect(page.locator("#trusted")).to_contain_text("Not yet")
    expect(page.locator("#account")).to_be_hidden()
    assert serious_findings(page) == []
    Chat(page, domain).shoot("join-trust")
    context.close()


@pytest.fixture
def strange_browser(browser, tmp_path, domain, pi):
    """A browser of the same kind that knows nothing of the Pi's authority."""
    other = browser.browser_type.launch(
        executable_path="/usr/bin/chromium",
        env={"HOME": str(tmp_path)},
        args=["--no-sandbox", f"--host-resolver-rules=MAP {domain} {pi.address}"],
    )
    yield other
    other.close()


def test_a_browser_that_trusts_goes_on_by_itself(browser, domain, invitation):
    context = browser.new_context(locale="en-GB", **DESKTOP)
    page = context.new_page()
    page.goto(f"http://{domain}/join/#{invitation}")
    page.wait_for_url(f"https://{domain}/join/#{invitation}")
    expect(page.locator("#account")).to_be_visible()
    context.close()


def test_the_profile_carries_the_certificate(pi, authority):
    with urllib.request.urlopen(f"http://{pi.address}/ca.mobileconfig", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("application/x-apple-aspen-config")
        profile = plistlib.loads(answer.read())
    (payload,) = profile["PayloadContent"]
    assert payload["PayloadType"] == "com.apple.security.root"
    assert payload["PayloadContent"] == ssl.PEM_cert_to_DER_cert(authority.read_text())


MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari"


@pytest.mark.parametrize(
    ("agent", "touches", "system"),
    [
        (IPHONE, 5, "ios"),
        (MAC, 5, "ios"),  # an iPad
        (MAC, 0, "macos"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140 Mobile", 5, "android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140", 0, "windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", 0, "linux"),
    ],
)
def test_each_system_gets_its_own_steps(browser, complaints, agent, touches, system):
    page = open_page(browser.new_context(), complaints, "/join/")
    script = """async ([agent, touches]) => (await import(document.documentElement.dataset.house + "/system.js"))
        .systemOf({userAgent: agent, maxTouchPoints: touches})"""
    assert page.evaluate(script, [agent, touches]) == system
    page.context.close()


@pytest.mark.parametrize(
    ("wanted", "language"),
    [(["zh-CN", "en"], "zh"), (["zh-Hant-TW"], "zh"), (["de", "zh"], "zh"), (["de"], "en"), (["en-US", "zh"], "en")],
)
def test_the_first_language_that_there_is(browser, complaints, wanted, language):
    page = open_page(browser.new_context(), complaints, "/join/")
    script = """async (wanted) => (await import(document.documentElement.dataset.house + "/language.js"))
        .languageOf(wanted, ["en", "zh"])"""
    assert page.evaluate(script, wanted) == language
    page.context.close()
