"""The catalogues of the web pages: each language has each text, with the same values in it, and each is used."""

import json
import re

import pytest

from lanpi import paths

ROOT = paths.templates().parent
LOCALES = ROOT / "web/locales"
ENGLISH = json.loads((LOCALES / "en.json").read_text("utf-8"))
PAGES = [path.read_text("utf-8") for path in (paths.templates() / "var/lib/lanpi/www").rglob("*.j2")]
SCRIPTS = [path.read_text("utf-8") for path in (ROOT / "web/site").rglob("*.js")]
STEPS = {
    f"join.trust.{system}.{step}" for system in ("ios", "android", "windows", "macos", "linux") for step in (1, 2, 3)
}
REFUSALS = {"name", "short", "taken", "token", "refused", "unreachable"}


def catalogues():
    return sorted(LOCALES.glob("*.json"))


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_no_text_is_missing_and_none_is_left_over(path):
    texts = json.loads(path.read_text("utf-8"))
    assert list(texts) == list(ENGLISH)
    assert all(text.strip() for text in texts.values())


@pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.stem)
def test_the_same_values_stand_in_each_text(path):
    texts = json.loads(path.read_text("utf-8"))
    for key, text in texts.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", ENGLISH[key])), key


def test_each_text_is_used_and_each_that_is_used_is_there():
    used = {key for page in PAGES for key in re.findall(r'web\.(?:say|text)\("([a-z._]+)"', page)}
    used |= {key for script in SCRIPTS for key in re.findall(r'"(join\.[a-z._]+)"', script)}
    used |= STEPS | {f"join.error.{reason}" for reason in REFUSALS}
    assert used == set(ENGLISH)


def test_each_refusal_that_a_script_names_has_a_text():
    script = "".join(SCRIPTS)
    named = set(re.findall(r'(?:complain|Refused)\("(\w+)"\)', script))
    named |= set(re.findall(r'"?[\w-]+"?: "(\w+)"', re.search(r"const REASONS = \{(.*?)\}", script)[1]))
    named |= set(re.findall(r'check\(.*, "(\w+)"\)', script))
    assert named == REFUSALS
