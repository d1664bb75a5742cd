"""The status probe: reads how a Pi is doing under its own ``python3`` and prints it as JSON.

Like the facts' probe, and with its modules: the standard library of Python 3.11 and nothing else of
lanpi. ``lanpi.status.read`` sends it over standard input, in one round trip. It only reads.
"""
