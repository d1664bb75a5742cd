"""What only a running system can be asked: the room that its logs take."""

import os

BLOCK_BYTES = 512  # st_blocks counts these (stat(2))
LOGS = "/var/log"


def logs_bytes() -> int | None:
    """What all logs take on the disk; None where one of the folders may not be read."""
    total = 0
    unreadable: list[OSError] = []
    for folder, _, names in os.walk(LOGS, onerror=unreadable.append):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * BLOCK_BYTES  # noqa: PTH118
            except FileNotFoundError:
                continue  # rotated away in between
            except OSError as error:
                unreadable.append(error)
    return None if unreadable else total
