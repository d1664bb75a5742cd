"""What a user of the Pi may do."""

import pwd
import subprocess

TIMEOUT_SECONDS = 10


def can_read(user: str, path: str) -> bool | None:
    """Whether a user can read a file, with every folder on the way; None where there is no such user yet.

    Args:
        user: by name.
        path: absolute.
    """
    try:
        pwd.getpwnam(user)
    except KeyError:
        return None
    done = subprocess.run(
        ["runuser", "-u", user, "--", "test", "-r", path], check=False, capture_output=True, timeout=TIMEOUT_SECONDS
    )
    return done.returncode == 0
