"""The example file is the reference: all of the schema, nothing else, and a comment for each key."""

import pytest
import yaml

from lanpi.config.describe import keys, sections
from lanpi.config.example import PATH, example
from lanpi.config.load import effective, leaves, parse
from lanpi.config.model import Config


def commented() -> dict[str, str]:
    """Dotted path of each key and section in the example -> the comment right above it."""
    found: dict[str, str] = {}
    section, comment = "", []
    for line in example().splitlines():
        text = line.strip()
        if text.startswith("#"):
            comment.append(text.lstrip("# "))
        elif text:
            name = text.partition(":")[0]
            nested = line.startswith(" ")
            section = section if nested else name
            found[f"{section}.{name}" if nested else name] = " ".join(comment)
            comment = []
        else:
            comment = []
    return found


def test_the_example_is_the_defaults() -> None:
    found = effective({}, parse(example(), str(PATH)), [])
    assert found.config == Config()
    assert {origin.kind for origin in found.origins.values()} == {"file"}


def test_the_example_has_the_keys_of_the_schema_in_its_order() -> None:
    expected = [path for path in commented() if path not in sections()]
    assert expected == list(keys()), "add the key to lanpi/config/example.yml"
    assert {path for path in commented() if path in sections()} == set(sections()) - {""}


@pytest.mark.parametrize("path", [*keys(), *(name for name in sections() if name)])
def test_each_key_has_a_comment(path: str) -> None:
    assert len(commented()[path]) > 10


@pytest.mark.parametrize("path", keys())
def test_each_field_says_what_it_means_and_takes(path: str) -> None:
    key = keys()[path]
    assert key.description.endswith("."), "a field without a description"
    assert key.allowed
    assert key.allowed not in ("text", "a list"), "say what it takes with Allowed(...)"
    assert "whole number" not in key.allowed or " from " in key.allowed, "a number without bounds"


@pytest.mark.parametrize("path", keys())
def test_a_comment_names_each_choice_and_bound(path: str) -> None:
    comment, allowed = commented()[path], keys()[path].allowed
    for each in allowed.split(" or "):
        if each.startswith("a whole number from "):
            assert each.removeprefix("a whole number from ") in comment
        elif (" " not in each and each != "empty") or each.startswith("up to "):
            assert each in comment


@pytest.mark.parametrize("suffix", ["_mb", "_days"])
def test_a_comment_names_the_unit(suffix: str) -> None:
    unit = {"_mb": "in MB", "_days": "Days"}[suffix]
    named = [path for path in keys() if path.endswith(suffix)]
    assert named
    for path in named:
        assert unit in commented()[path]
        assert unit in keys()[path].description


def test_leaves_are_the_document() -> None:
    assert yaml.safe_load(example())["im"]["archive_days"] == leaves(Config())["im.archive_days"]
