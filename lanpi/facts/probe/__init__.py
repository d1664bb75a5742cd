"""The probe: reads a machine's facts under its own ``python3`` and prints them as JSON.

Runs on the Pi, so its modules use the standard library of Python 3.11 alone and import nothing
of lanpi; ``lanpi.facts.read`` sends them all over standard input, in one round trip.
"""
