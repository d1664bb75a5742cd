"""Whether messages pass, checked on the Pi every few minutes, and the history of it."""
