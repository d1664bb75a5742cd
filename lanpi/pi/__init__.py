"""Everything that runs on a Pi, where nothing but python3 is installed.

The standard library of Python 3.11 and lanpi.pi itself, nothing else; lanpi.ship brings it there.
"""
