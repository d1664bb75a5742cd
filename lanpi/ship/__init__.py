"""The one way by which lanpi's code gets to a Pi."""
