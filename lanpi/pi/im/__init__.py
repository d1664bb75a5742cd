"""ejabberd as the Pi itself reaches it."""
