"""Whether messages are delivered, checked on the Pi every few minutes, and the history of it."""
