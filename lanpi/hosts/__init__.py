"""Machines that lanpi works on: this one, others over SSH, virtual Pis - all behind one protocol."""

from collections.abc import Iterator
from contextlib import contextmanager

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
    host = _open(target, options)
    try:
        yield host
    finally:
        host.close()


def _open(target: Target, options: ConnectOptions) -> Host:
    # paramiko takes a while to import; local targets and --help do without it.
    if target.kind == "local":
        from lanpi.hosts.local import LocalHost
        from lanpi.hosts.root import Root

        return LocalHost(Root(lambda: options.sudo_password() or options.ask_secret("Your password for sudo: ")))
    if target.kind == "virtual":
        from lanpi.hosts.virtual import connect_virtual

        return connect_virtual(target, options)
    from lanpi.hosts.connect import connect

    return connect(target, options)
