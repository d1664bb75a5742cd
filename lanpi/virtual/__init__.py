"""Virtual Pis: Debian with systemd and sshd in containers of this machine, as large as a Pi model.

from lanpi.virtual import lifecycle
pi = lifecycle.up("pi", model="4-2g")
...
lifecycle.down("pi")
"""
