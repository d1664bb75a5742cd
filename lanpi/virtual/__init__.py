"""Virtual Pis: Debian with systemd and sshd in containers of this machine, as large as a Pi model.

from lanpi import virtual
pi = virtual.up("pi", model="4-2g")
...
virtual.down("pi")
"""

from typing import TYPE_CHECKING, Any

from lanpi.virtual.record import VirtualPi, get

if TYPE_CHECKING:
    from lanpi.virtual.lifecycle import down, kill, list_all, move, reboot, start, up

__all__ = ["VirtualPi", "down", "get", "kill", "list_all", "move", "reboot", "start", "up"]


def __getattr__(name: str) -> Any:
    # What connects to one asks for its record alone, and need not wait for what makes them.
    if name in __all__:
        from lanpi.virtual import lifecycle  # noqa: PLC0415

        return getattr(lifecycle, name)
    raise AttributeError(name)
