"""``python -m lanpi``."""

from lanpi.cli.main import main

main()
