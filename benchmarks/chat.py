"""What the chat's page weighs on its way from the Pi, and when it can be used on a slow phone.

Run as root: python benchmarks/chat.py [--runs N] [--target virtual:NAME]. Without a target it makes a virtual Pi,
installs on it and takes it down again. Each run is a browser that has never been there (headless Chromium, its
processor slowed by the debugging protocol), then the same browser once more. It needs chromium and certutil
(libnss3-tools).

Weight: bytes that left the Pi's network interface until the page and its service worker had all they keep, so with the
overhead of TCP and TLS. Interactive: the login form is there and the last task longer than 50 ms is over.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext

from lanpi import virtual
from lanpi.virtual import VirtualPi
from tests.e2e.browser import PHONE, trusting_browser

MODEL = "3b+"
NAME = "benchch"
WEIGHT_LIMIT_BYTES = 700_000
INTERACTIVE_LIMIT_SECONDS = 3.0
SLOWER = 6
SETTLED_SECONDS = 4.0
"""After the form is there: later long tasks are seen, and the service worker has fetched what it keeps."""

WATCH = """
window.seen = {form: 0, task: 0};
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) window.seen.task = Math.max(window.seen.task, task.startTime + task.duration);
}).observe({type: "longtask", buffered: true});
new MutationObserver((_, observer) => {
  if (!document.getElementById("converse-login-jid")) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => (window.seen.form = performance.now())));
}).observe(document, {childList: true, subtree: true});
"""


@dataclass(frozen=True)
class Visit:
    """One visit: seconds until the page can be used, and bytes over the wire."""

    interactive_seconds: float
    weight_bytes: int


def on_pi(pi: VirtualPi, line: str) -> str:
    """Run a line on the Pi as its user."""
    return subprocess.run(
        ["ssh", "-q", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", pi.key_path,
         "-o", f"UserKnownHostsFile={pi.known_hosts}", f"{pi.user}@{pi.address}", line],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def sent_bytes(pi: VirtualPi) -> int:
    """What has left the Pi's interfaces but its loopback."""
    counters = on_pi(pi, "for i in /sys/class/net/*; do [ ${i##*/} = lo ] || cat $i/statistics/tx_bytes; done")
    return sum(int(line) for line in counters.split())


def visit(context: BrowserContext, pi: VirtualPi, domain: str) -> Visit:
    """Open the chat on a slowed processor."""
    page = context.new_page()
    page.add_init_script(WATCH)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    before = sent_bytes(pi)
    page.goto(f"https://{domain}/chat/")
    page.wait_for_selector("#converse-login-jid")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    time.sleep(SETTLED_SECONDS)
    seen = page.evaluate("window.seen")
    weight = sent_bytes(pi) - before
    page.close()
    return Visit(max(seen["form"], seen["task"]) / 1000, weight)


def both_visits(browser: Browser, pi: VirtualPi, domain: str) -> tuple[Visit, Visit]:
    """The first visit of a browser, and its second."""
    context = browser.new_context(locale="zh-CN", **PHONE)
    found = visit(context, pi, domain), visit(context, pi, domain)
    context.close()
    return found


@contextmanager
def installed(name: str) -> Iterator[VirtualPi]:
    """The virtual Pi of that name; without a name a new one with lanpi on it, taken down at the end."""
    if name:
        yield virtual.get(name)
        return
    pi = virtual.up(NAME, model=MODEL)
    try:
        subprocess.run([sys.executable, "-m", "lanpi", "install", f"virtual:{pi.name}", "--yes"], check=True)
        yield pi
    finally:
        virtual.down(pi.name)


def main() -> int:
    """Print the medians; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--target", default="", help="virtual:NAME")
    options = parser.parse_args()
    with installed(options.target.removeprefix("virtual:")) as pi, tempfile.TemporaryDirectory() as folder:
        domain = f"{pi.name}.local"
        authority = Path(folder, "ca.crt")
        subprocess.run(
            [sys.executable, "-m", "lanpi", "ca", f"virtual:{pi.name}", "--output", str(authority)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        home = Path(folder, "home")
        home.mkdir()
        with trusting_browser(home, authority, domain, pi.address) as browser:
            visits = [both_visits(browser, pi, domain) for _ in range(options.runs)]
    first, second = ([pair[position] for pair in visits] for position in (0, 1))
    for title, those in (("first visit", first), ("second visit", second)):
        times = [each.interactive_seconds for each in those]
        weights = [each.weight_bytes for each in those]
        print(
            f"{title}: interactive after {statistics.median(times):.2f} s ({min(times):.2f} to {max(times):.2f}), "
            f"{statistics.median(weights) / 1000:.0f} KB over the wire (at most {max(weights) / 1000:.0f})"
        )
    good = (
        statistics.median(each.interactive_seconds for each in first) <= INTERACTIVE_LIMIT_SECONDS
        and max(each.weight_bytes for each in first) <= WEIGHT_LIMIT_BYTES
    )
    print(f"targets: {INTERACTIVE_LIMIT_SECONDS} s, {WEIGHT_LIMIT_BYTES // 1000} KB: {'met' if good else 'missed'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
