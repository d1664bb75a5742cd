"""A browser that trusts a virtual Pi's authority, and what people do with the chat in it."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from lanpi import paths

SCREENSHOTS = paths.web().parent / "screenshots"
AXE = paths.web().parent / "npm/node_modules/axe-core/axe.min.js"
PATIENCE_MILLISECONDS = 20_000
"""Two browsers, a Pi and other tests share two cores."""

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

expect.set_options(timeout=PATIENCE_MILLISECONDS)


@dataclass
class Complaints:
    """What must not happen on a page: requests to elsewhere, failed ones, errors in the console.

    Attributes:
        origin: where everything has to come from.
        found: one text each.
        forgiven: parts of texts that a test provokes.
    """

    origin: str
    found: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ()

    def watch(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", lambda said: self._add(f"console: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: self._add(f"error: {error}"))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        page.on(
            "response", lambda answer: self._add(f"{answer.status}: {answer.url}") if answer.status >= 400 else None
        )
        page.on("request", lambda request: self._leaves(request.url))

    def _failed(self, url: str, reason: str) -> None:
        if "ERR_ABORTED" not in reason:  # the page was left
            self._add(f"failed: {url} {reason}")

    def _answered(self, status: int, url: str) -> None:
        if status >= 400:
            self._add(f"{status}: {url}")

    def _leaves(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:", f"blob:{self.origin}/")):
            self._add(f"elsewhere: {url}")

    def _add(self, text: str) -> None:
        if not any(part in text for part in self.forgiven):
            self.found.append(text)


@contextlib.contextmanager
def trusting_browser(folder: Path, authority: Path, domain: str, address: str) -> Iterator[Browser]:
    """Debian's Chromium with the Pi's authority in its store (NSS), and the Pi's name at its address.

    Args:
        folder: the browser's home; empty.
        authority: ca.crt.
        domain: the Pi's.
        address: the Pi's.
    """
    store = folder / ".pki/nssdb"
    store.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "lanpi", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *arguments], check=True)
    chromium = shutil.which("chromium")
    assert chromium, "apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            env={**os.environ, "HOME": str(folder)},
            # Root needs --no-sandbox; the address is no proxy's business.
            args=["--no-sandbox", f"--host-resolver-rules=MAP {domain} {address}"],
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Chat:
    """One person's chat page."""

    page: Page
    origin: str

    @classmethod
    def open(cls, context: BrowserContext, complaints: Complaints) -> "Chat":
        """A new page with the chat, ready for a name and a password."""
        page = context.new_page()
        complaints.watch(page)
        page.goto(f"{complaints.origin}/chat/")
        return cls(page, complaints.origin)

    def log_in(self, name: str, password: str) -> None:
        """Type both, and wait for the contact list."""
        self.page.fill("#converse-login-jid", name)
        self.page.fill("#converse-login-password", password)
        self.page.click("#converse-login button[type=submit]")
        self.logged_in()

    def logged_in(self) -> None:
        """Wait for the contact list."""
        expect(self.page.locator("converse-user-profile")).to_be_visible()

    def add_contact(self, address: str, name: str) -> None:
        """Ask somebody to become a contact; their chat opens."""
        self._choose("#converse-roster", ".add-contact")
        self.page.fill(".modal.show input[name=jid]", address)
        self.page.fill(".modal.show input[name=name]", name)
        self.page.click(".modal.show form.add-xmpp-contact button[type=submit]")
        expect(self.page.locator(".modal.show")).to_have_count(0)

    def _choose(self, section: str, entry: str) -> None:
        """An entry of a section's menu; the menu closes by itself when the list below it is drawn anew."""
        button, item = self.page.locator(f"{section} converse-dropdown button").first, self.page.locator(entry)

        def opened() -> None:
            if not item.is_visible():
                button.click(timeout=3000)
            item.click(timeout=1000)

        for _ in range(10):
            with contextlib.suppress(PlaywrightTimeout):
                return opened()
        return item.click()

    def enter_room(self, name: str, found_by: str = "") -> None:
        """Open a room of that name; with ``found_by``, one that the search finds by these letters."""
        self._choose("#chatrooms", ".show-add-muc-modal")
        field = self.page.locator(".modal.show input[name=chatroom]")
        if found_by:
            field.press_sequentially(found_by)
            self.page.locator(".modal.show .suggestion-box__results li", has_text=name).click()
        else:
            field.fill(name)
        self.page.click(".modal.show input[name=join]")
        expect(self.page.locator(".modal.show")).to_have_count(0)
        expect(self.page.locator("converse-muc-heading", has_text=name)).to_be_visible()

    def to_list(self) -> None:
        """From a chat to the list: on a phone there is room for one of them."""
        back = self.page.locator("converse-controlbox-navback converse-icon")
        if back.is_visible():
            back.click()
        expect(self.page.locator("converse-user-profile")).to_be_visible()

    def encrypt(self) -> None:
        """Switch end-to-end encryption on in the open chat."""
        self.page.click(".toggle-omemo")
        expect(self.page.locator(".toggle-omemo .fa-lock")).to_be_visible()

    def accept_contact(self, address: str, name: str) -> None:
        """Say yes to a request; their chat is open then."""
        self.contact(address).click()
        self.page.click("converse-chat .btn-success")
        modal = self.page.locator(".modal.show")
        modal.locator("input[name=name]").fill(name)
        modal.locator("button[type=submit]").click()
        expect(modal).to_have_count(0)

    def contact(self, name: str) -> Locator:
        """An entry of the contact list."""
        return self.page.locator("#converse-roster .list-item", has_text=name)

    def say(self, text: str) -> None:
        """Send a message in the chat or room that is open."""
        self.page.fill("textarea.chat-textarea", text)
        self.page.click(".send-button")

    def sees(self, text: str) -> None:
        """A message is there, in the open chat or room."""
        expect(self.page.locator(".chat-msg__text", has_text=text).last).to_be_visible()

    def send_file(self, path: Path) -> None:
        """Send a file in the open chat."""
        self.page.set_input_files("input[type=file]", str(path))

    def sees_picture(self, width: int) -> None:
        """A picture was loaded, with all its pixels."""
        picture = self.page.locator("img.chat-image").last
        expect(picture).to_be_visible()
        self.page.wait_for_function(
            "([selector, width]) => [...document.querySelectorAll(selector)].at(-1).naturalWidth === width",
            arg=["img.chat-image", width],
        )

    def shoot(self, name: str) -> None:
        """Keep a picture of the page for people to look at."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def serious_findings(page: Page) -> list[str]:
    """What axe finds that keeps somebody out: rule, and the first element that breaks it."""
    # Through the debugging protocol, which the page's policy does not bind.
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']} ({rule['impact']}): {rule['nodes'][0]['html'][:200]} … {len(rule['nodes'])}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
