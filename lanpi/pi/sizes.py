"""How lanpi counts bytes, in one place.

A MB is 1,048,576 bytes wherever lanpi says or is told one: in the settings (``logs.max_mb``), in thresholds and in
what it shows. That is how systemd (``SystemMaxUse=``), logrotate, Redis and ejabberd's quotas count it, and what
``df -h`` and ``free -h`` show beside it; so a bound of 200 MB is 200 MB in all of them. A card sold as 32 GB
(10^9 bytes each) shows as 29.8 GB.
"""

KB = 1024
MB = 1024 * KB
GB = 1024 * MB

NOT_AVAILABLE = "not available"


def size(count: float | None) -> str:
    """Bytes for people: "3.3 GB", "200 MB", "16 kB"; "not available" for None."""
    if count is None:
        return NOT_AVAILABLE
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1024 or unit == "GB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit in ("B", "kB") or count >= 100 else f"{count:.1f} {unit}"


def of(part: float, whole: float) -> str:
    """A part of a whole, each with its unit: "3.3 GB of 200 MB"."""
    return f"{size(part)} of {size(whole)}"
