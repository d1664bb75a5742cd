"""The built pages as roles and templates see them, and when a tree travels."""

import base64
import hashlib
import re

import pytest

from lanpi import paths
from lanpi.deploy.desired import Desired
from lanpi.deploy.plan import plan
from lanpi.deploy.reading import State
from lanpi.deploy.trees import move_of
from lanpi.deploy.web import Tree, _read, read_web
from lanpi.errors import LanpiError
from lanpi.pi.read.trees import ROOT, digest

HOUSE = Tree("house", "a" * 64, ("a.js",), paths.web() / "house")
CHAT = Tree("chat", "b" * 64, ("b.js",), paths.web() / "chat")
DESIRED = Desired((), (), (), (), (), (), (), (), (HOUSE, CHAT))


def decided(trees):
    made = plan(DESIRED, State({}, (), {}, {}, {}, (), (), trees), cmdline_change=False)
    return made, move_of(DESIRED, made)


def test_what_is_there_does_not_travel():
    made, move = decided({HOUSE.folder: True, CHAT.folder: True})
    assert made.differing == ()
    assert (move.place, move.remove) == ((), ())
    assert not move.event().changed


def test_what_is_missing_or_damaged_travels_and_what_is_old_goes():
    made, move = decided({HOUSE.folder: False, "house-0000000000000000": True})
    assert {entry.name.rpartition("/")[2]: entry.reason for entry in made.differing} == {
        HOUSE.folder: "its content differs",
        CHAT.folder: "it is missing",
        "house-0000000000000000": "it is no longer wanted",
    }
    assert move.place == (HOUSE, CHAT)
    assert move.remove == ("house-0000000000000000",)
    assert move.event().result["paths"][0] == f"{ROOT}/{HOUSE.folder}"


def test_the_build_and_the_pi_agree_about_names():
    for tree in read_web().trees.values():
        assert digest(tree.source) == tree.digest


def test_a_checkout_without_the_pages_says_how_to_build_them(tmp_path):
    with pytest.raises(LanpiError, match="have not been built") as caught:
        _read(tmp_path)
    assert "pip install" in caught.value.next_step


def test_the_chats_policy_lets_nothing_in_but_the_pi():
    policy = read_web().chat_policy("pi.local")
    assert set(re.findall(r"https?://[^ ;]+|wss://[^ ;]+", policy)) == {"https://pi.local", "wss://pi.local"}
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert "'unsafe-inline'" not in rules["style-src"]
    empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    assert f"'sha256-{empty}'" in rules["style-src"]


def test_a_text_is_ready_for_html():
    web = read_web()
    assert web.say("house.title", "h1", domain="<pi>") == '<h1 data-text="house.title">Messages on &lt;pi&gt;</h1>'
    with pytest.raises(KeyError):
        web.text("no.such.text")
