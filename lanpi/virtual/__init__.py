"""Virtual Pis: Debian with systemd and sshd in containers of this machine, as large as a Pi model.

from lanpi import virtual
pi = virtual.up("pi", model="4-2g")
...
virtual.down("pi")
"""

from lanpi.virtual.lifecycle import down, get, kill, list_all, move, reboot, start, up
from lanpi.virtual.record import VirtualPi

__all__ = ["VirtualPi", "down", "get", "kill", "list_all", "move", "reboot", "start", "up"]
