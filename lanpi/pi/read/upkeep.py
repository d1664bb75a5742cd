"""What needs regular care: the backup, security upgrades, a reboot that is due."""

import json
import re
from functools import cmp_to_key
from typing import Any

from lanpi.pi.read import packages
from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded

BACKUP = "/var/lib/lanpi/backup/status.json"
LISTS = "/var/lib/apt/lists"
APT_HELPER = "/usr/lib/apt/apt-helper"


def backup(source: Source) -> dict[str, Any] | None:
    """What the last backup recorded about itself; None when there never was one (or it may not be read)."""
    text = source.read_text(BACKUP)
    if text is None:
        return None
    try:
        known = json.loads(text)
        return {
            "last_success": str(known.get("last_success") or ""),
            "last_verified": str(known.get("last_verified") or ""),
            "key_saved": bool(known.get("key_saved")),
            "last_error": str(known.get("last_error") or ""),
        }
    except (ValueError, AttributeError):
        return {
            "last_success": "",
            "last_verified": "",
            "key_saved": False,
            "last_error": f"{BACKUP} cannot be read",
        }


def security_updates(source: Source) -> list[str] | None:
    """Installed packages of which a security archive has a newer version.

    Read from the lists that apt has (apt itself takes seconds to work an upgrade out); None where
    there are none of a security archive.
    """
    lists = [name for name in source.names(LISTS) if re.search(r"security.*_Packages(\.\w+)?$", name)]
    if not lists:
        return None
    installed, _ = packages.read_status(source)
    pending = set()
    for name in lists:
        for package, version in offered(_list_text(source, name)):
            here = installed.get(package)
            if here is not None and here != version and compare_versions(here, version) < 0:
                pending.add(package)
    return sorted(pending)


def _list_text(source: Source, name: str) -> str:
    if name.endswith("_Packages"):
        return source.read_text(f"{LISTS}/{name}") or ""
    # Kept compressed on some systems (Acquire::GzipIndexes); apt knows with what.
    told = source.command(APT_HELPER, "cat-file", f"{LISTS}/{name}")
    return told[1] if told and told[0] == 0 else ""


def offered(text: str) -> list[tuple[str, str]]:
    """Package and version of each paragraph of a Packages file."""
    found = []
    package = ""
    for field, value in re.findall(r"^(Package|Version): (.*)$", text, re.MULTILINE):
        if field == "Package":
            package = value
        else:
            found.append((package, value))
    return found


def compare_versions(one: str, other: str) -> int:
    """Below, at or above zero as ``one`` is older, the same or newer (deb-version(7), "Sorting algorithm")."""
    for first, second in zip(_split(one), _split(other), strict=True):
        result = _compare_part(first, second)
        if result:
            return result
    return 0


def _split(version: str) -> tuple[str, str, str]:
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    return (epoch, upstream, revision) if dash else (epoch, rest, "")


def _compare_part(one: str, other: str) -> int:
    while one or other:
        words = [re.match(r"\D*", text).group() for text in (one, other)]  # type: ignore[union-attr]
        result = _compare_words(*words)
        if result:
            return result
        one, other = one[len(words[0]) :], other[len(words[1]) :]
        numbers = [re.match(r"\d*", text).group() for text in (one, other)]  # type: ignore[union-attr]
        difference = int(numbers[0] or 0) - int(numbers[1] or 0)
        if difference:
            return difference
        one, other = one[len(numbers[0]) :], other[len(numbers[1]) :]
    return 0


def _compare_words(one: str, other: str) -> int:
    for position in range(max(len(one), len(other))):
        difference = _weight(one[position : position + 1]) - _weight(other[position : position + 1])
        if difference:
            return difference
    return 0


def _weight(character: str) -> int:
    """A tilde sorts before the end, the end before letters, letters before everything else."""
    if character == "~":
        return -1
    if not character:
        return 0
    return ord(character) if character.isalpha() else ord(character) + 256


def newest(versions: list[str]) -> str:
    """The highest of some versions."""
    return max(versions, key=cmp_to_key(compare_versions))


def limits_made_for(source: Source) -> dict[str, Any] | None:
    """The machine that the installed limits were decided for; None without limits or where they are damaged."""
    try:
        inputs = json.loads(source.read_text("/var/lib/lanpi/limits.json") or "")["inputs"]
        return {name: inputs[name] for name in ("memory_bytes", "cores", "storage")}
    except (ValueError, KeyError, TypeError):
        return None


def reboot_reasons(source: Source) -> list[str]:
    """Why the Pi should be rebooted; nothing when there is no need."""
    reasons = []
    if source.exists("/run/reboot-required"):
        asking = (source.read_text("/run/reboot-required.pkgs") or "").split()
        reasons.append("upgraded: " + ", ".join(sorted(set(asking))) if asking else "an upgrade needs it")
    boot = system_boot(source)
    if "cgroup_enable=memory" in boot[0] and "cgroup_enable=memory" not in boot[1]:
        reasons.append("memory limits take effect after a reboot")
    reasons += newer_kernel(source.kernel(), source.names("/lib/modules"))
    return reasons


def system_boot(source: Source) -> tuple[str, str]:
    """The kernel's command line in the firmware's file and the one it was started with."""
    for path in ("/boot/firmware/cmdline.txt", "/boot/cmdline.txt"):
        text = source.read_text(path)
        if text is not None and "DO NOT EDIT" not in text:
            return text, source.read_text("/proc/cmdline") or ""
    return "", ""


def newer_kernel(running: str, kernels: list[str]) -> list[str]:
    """A newer kernel of the running one's kind that is installed.

    ``6.12.47+rpt-rpi-v8`` and ``6.12.47+rpt-rpi-2712`` are for different boards and both installed.
    A container runs a kernel that is not installed in it at all, and needs no reboot for one.
    """
    if running not in kernels:
        return []
    flavour = running.partition("-")[2].partition("-")[2] or running.rpartition("-")[2]
    same = [kernel for kernel in kernels if kernel.endswith(flavour)]
    latest = newest(same or [running])
    return [f"kernel {latest} is installed, but {running} is running"] if latest != running else []
