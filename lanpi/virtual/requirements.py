"""What this machine must have to run virtual Pis, and how to get what it lacks."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from lanpi.errors import ExitCode, LanpiError

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "apt-config": "apt",
}
"""Program -> the Debian package that has it."""


def missing_requirements(
    *,
    platform: str,
    user_id: int,
    find_program: Callable[[str], str | None],
    keyring_there: bool,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is missing, and the Debian packages that would bring it; both empty when nothing is.

    Args:
        platform: ``sys.platform``.
        user_id: the effective user id.
        find_program: a program's path, or None.
        keyring_there: whether Debian's archive keys are installed.
    """
    if not platform.startswith("linux"):
        return ("Linux (virtual Pis are Linux containers)",), ()
    programs = [program for program in PROGRAMS if find_program(program) is None]
    packages = {PROGRAMS[program] for program in programs}
    missing = ["root (run the command with sudo)"] if user_id != 0 else []
    missing += programs
    if not keyring_there:
        missing.append("Debian's archive keys")
        packages.add("debian-archive-keyring")
    return tuple(missing), tuple(sorted(packages))


def check_requirements() -> None:
    """Nothing, when this machine can run virtual Pis.

    Raises:
        LanpiError: MISSING, with all that is missing and the command that brings it.
    """
    missing, packages = missing_requirements(
        platform=sys.platform,
        user_id=os.geteuid(),
        find_program=shutil.which,
        keyring_there=Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists(),
    )
    if missing:
        raise LanpiError(
            f"this machine lacks what virtual Pis need: {', '.join(missing)}",
            next_step=f"Run: sudo apt-get install {' '.join(packages)}" if packages else "",
            exit_code=ExitCode.MISSING,
        )
