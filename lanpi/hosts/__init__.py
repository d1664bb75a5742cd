"""Machines that lanpi works on: this one, others over SSH, virtual Pis - all behind one protocol."""

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lanpi.hosts.base import Completed, Host
from lanpi.hosts.options import ConnectOptions
from lanpi.hosts.target import Target, parse_target

__all__ = ["Completed", "ConnectOptions", "Host", "Target", "open_host", "parse_target"]


@contextmanager
def open_host(target: Target, options: ConnectOptions) -> Iterator[Host]:
    """The machine behind a target, connected while the block runs.

    Raises:
        LanpiError: UNREACHABLE or REFUSED with the cause; BAD_INPUT for a virtual Pi that is not there.
    """
    options.check_files()
    host = _open(target, options)
    try:
        yield host
    finally:
        host.close()


def _open(target: Target, options: ConnectOptions) -> Host:
    # paramiko takes a while to import; local targets and --help do without it.
    if target.kind == "local":
        from lanpi.hosts.local import LocalHost
        from lanpi.hosts.passwords import Passwords
        from lanpi.hosts.root import Root

        given = Passwords(lambda: [options.sudo_password()], options.ask_secret, "Your sudo password: ")
        return LocalHost(Root(given))
    _defer("invoke")
    if target.kind == "virtual":
        from lanpi.hosts.virtual import connect_virtual

        return connect_virtual(target, options)
    from lanpi.hosts.connect import connect

    return connect(target, options)


class _Deferred(types.ModuleType):
    """A module that is loaded when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def _defer(name: str) -> None:
    """Let a module load at its first use, not at its import.

    paramiko imports invoke for the "Match exec" of an ssh_config, and that takes as long as paramiko itself
    (``python -X importtime``). importlib's own LazyLoader does not do: Python 3.11 loads it at the import.
    """
    if name not in sys.modules and importlib.util.find_spec(name):
        sys.modules[name] = _Deferred(name)
