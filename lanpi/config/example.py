"""The example file: every key, its default, and what it means."""

from pathlib import Path

PATH = Path(__file__).with_name("example.yml")


def example() -> str:
    """The text of the example; a test compares it with the schema."""
    return PATH.read_text(encoding="utf-8")
