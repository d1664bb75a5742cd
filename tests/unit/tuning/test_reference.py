"""The reference page against the knobs."""

from pathlib import Path

from lanpi.tuning.reference import table

PAGE = Path(__file__).parents[3] / "docs/reference/tune.md"


def test_the_page_lists_every_setting_as_it_is() -> None:
    assert table() in PAGE.read_text(), "put lanpi.tuning.reference.table() into docs/reference/tune.md"
