"""``python -m lanpi.facts.probe [--root DIR]``: this machine's facts, or a recorded one's."""

from .collect import main

main()
