"""The operating system: its release and its architecture."""

from collections.abc import Iterator

from lanpi.facts.model import Facts
from lanpi.health.finding import Finding, ok, refusal, warning

SUPPORTED_RELEASES = ("trixie", "bookworm")
SUPPORTED_ARCHITECTURES = ("arm64", "amd64")
# The ID of the 32-bit Raspberry Pi OS; the 64-bit one says "debian".
SUPPORTED_IDS = ("debian", "raspbian")


def findings(facts: Facts, *, forced: bool) -> Iterator[Finding]:
    """Release, architecture, and the Python that lanpi's programs there need."""
    os = facts.os
    name = os.pretty_name
    if os.is_raspberry_pi_os:
        name = f"Raspberry Pi OS on {name}"
    if os.id in SUPPORTED_IDS and os.codename in SUPPORTED_RELEASES:
        yield ok("os", name)
    else:
        yield refusal(
            "os",
            f"{name} is not supported",
            "Use Raspberry Pi OS Lite (64-bit) or Debian, trixie or bookworm",
            forced=forced,
        )
    if os.architecture in SUPPORTED_ARCHITECTURES:
        yield ok("architecture", f"{os.architecture}, kernel {os.kernel}")
    else:
        yield refusal(
            "architecture",
            f"the system is built for {os.architecture or 'an unknown architecture'}; lanpi needs a 64-bit system",
            "Flash the 64-bit image of Raspberry Pi OS Lite",
            forced=forced,
        )
    if os.missing_modules:
        yield warning("python", "only part of Python 3 is installed (python3-minimal)", "lanpi installs python3 first")
