"""Whether messages pass, looked at on the Pi every few minutes, and what became of it over the days.

Everything here but this line runs on the Pi too, where nothing but python3 is installed.
"""
