"""The web pages that were built (web/assets.py), as roles and templates refer to them."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lanpi import paths
from lanpi.errors import ExitCode, LanpiError
from lanpi.pi.read.trees import DIGITS

SHELL_WITHOUT = (".gz", ".br", ".txt", ".ogg", "-maskable.png", "-180.png")
"""What a service worker need not keep: compressed copies, licences, what one browser or the home screen alone takes."""

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page of the house, and of whatever else is served."""

_EMPTY_STYLES = (
    "",
    "\n/*# sourceMappingURL=data:application/json;base64,"
    "eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IiIsInNvdXJjZVJvb3QiOiIifQ== */",
)
"""What Converse 14 puts into 71 <style> elements: no rule, only an empty source map (its rules are in its CSS file)."""


def _hash_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CHAT_POLICY = (
    # WebAssembly is Converse's end-to-end encryption (libomemo).
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    f"style-src 'self' {' '.join(_hash_source(text) for text in _EMPTY_STYLES)}; "
    # Sizes and colours on single elements, as of avatars.
    "style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self'; "
    # A page that came over HTTP asks whether HTTPS is trusted; an older Safari takes wss: for another origin.
    "connect-src 'self' https://{domain} wss://{domain}; "
    "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the pages that run Converse: what a browser's console asked for, and nothing looser."""


def _is_module(path: str) -> bool:
    return path.endswith(".js") and ".min." not in path


@dataclass(frozen=True)
class Tree:
    """A folder of static files.

    Attributes:
        name: as a role declares it.
        digest: of its content, as lanpi.pi.read.trees computes it.
        files: paths below it.
        source: where it lies on this machine.
    """

    name: str
    digest: str
    files: tuple[str, ...]
    source: Path

    @property
    def folder(self) -> str:
        """Its folder's name on the Pi, and in addresses."""
        return f"{self.name}-{self.digest[:DIGITS]}"


@dataclass(frozen=True)
class Web:
    """What templates ask.

    Attributes:
        trees: by name.
        english: the English catalogue, key to text; the page's script puts another language in its place.
        languages: the catalogues' names.
    """

    trees: Mapping[str, Tree]
    english: Mapping[str, str]
    languages: tuple[str, ...]
    page_policy: str = PAGE_POLICY

    def url(self, tree: str) -> str:
        """The address of a tree's folder, without a slash at its end."""
        return f"/static/{self.trees[tree].folder}"

    def shell(self, tree: str) -> list[str]:
        """The addresses of the files that a page needs without the network."""
        return [f"{self.url(tree)}/{path}" for path in self.trees[tree].files if not path.endswith(SHELL_WITHOUT)]

    def modules(self, tree: str) -> list[str]:
        """The addresses of our own scripts, which a browser would otherwise find one after the other."""
        return [f"{self.url(tree)}/{path}" for path in self.trees[tree].files if "/" not in path and _is_module(path)]

    def text(self, key: str, **values: Any) -> str:
        """A text in English, ready for HTML.

        Raises:
            KeyError: the catalogue has no such text.
        """
        return html.escape(self.english[key].format(**values) if values else self.english[key])

    def say(self, key: str, tag: str = "span", **values: Any) -> str:
        """An element with a text in it, which the page's script can put into another language."""
        return f'<{tag} data-text="{key}">{self.text(key, **values)}</{tag}>'

    @staticmethod
    def chat_policy(domain: str) -> str:
        """Content-Security-Policy of the chat, and of the way in, which becomes the chat."""
        return CHAT_POLICY.replace("{domain}", domain)


@cache
def _read(folder: Path) -> Web:
    try:
        known = json.loads((folder / "manifest.json").read_text("utf-8"))
    except FileNotFoundError:
        raise LanpiError(
            f"the web pages have not been built: {folder} is missing",
            next_step="In a checkout: pip install --no-deps -e .",
            exit_code=ExitCode.FAILED,
        ) from None
    trees = {
        name: Tree(name, entry["digest"], tuple(sorted(entry["files"])), folder / name)
        for name, entry in known["trees"].items()
    }
    locales = folder / "house" / "locales"
    return Web(
        trees=trees,
        english=json.loads((locales / "en.json").read_text("utf-8")),
        languages=tuple(sorted(path.stem for path in locales.glob("*.json"))),
    )


def read_web() -> Web:
    """The built pages.

    Raises:
        LanpiError: FAILED when this is a checkout in which nothing was built.
    """
    return _read(paths.web())
