"""What several commands need from an installed Pi."""

import json

from lanpi import paths
from lanpi.errors import ExitCode, LanpiError
from lanpi.hosts import Host
from lanpi.im.admin import Server


def installed_server(host: Host) -> Server:
    """The IM server of a Pi on which lanpi is installed.

    Raises:
        LanpiError: BAD_INPUT when it is not.
    """
    try:
        record = json.loads(host.get(paths.PI_INSTALLED, root=True))
    except FileNotFoundError as error:
        raise LanpiError(
            "lanpi is not installed on this Pi",
            host=host.name,
            next_step="Run: lanpi install",
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    return Server(host, record["domain"])
