"""dpkg and apt as they are right now."""

import re
from typing import Any

from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

Source = Machine | Recorded
Installed = dict[str, str]

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
# dpkg(1), package states, of which "dpkg --configure -a" still has to make something.
UNFINISHED = ("half-installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending")


def read_status(source: Source) -> tuple[Installed, list[str]]:
    """dpkg's database: versions of what is installed, and what is left half done."""
    versions: Installed = {}
    unfinished = []
    text = source.read_text("/var/lib/dpkg/status") or ""
    package = state = ""
    for field, value in re.findall(r"^(Package|Status|Version): (.*)$", text, re.MULTILINE):
        if field == "Package":
            package, state = value, ""
        elif field == "Status":
            state = value.split()[-1]
            if state in UNFINISHED:
                unfinished.append(package)
        elif state == "installed":
            versions[package] = value
    return versions, sorted(unfinished)


def packages(
    source: Source, status: tuple[Installed, list[str]], names: list[str], codename: str, check_mirror: bool
) -> dict[str, Any]:
    versions, unfinished = status
    uri, signed_by = debian_source(_source_entries(source), codename)
    return {
        "lock_holder": _lock_holder(source),
        "lists_age_seconds": _lists_age_seconds(source),
        "half_configured": unfinished,
        # Files named by number are changes that dpkg was writing when it was cut off.
        "interrupted": any(name.isdigit() for name in source.names("/var/lib/dpkg/updates")),
        "installed": {name: versions[name] for name in names if name in versions},
        "debian_uri": uri,
        "debian_signed_by": signed_by,
        "mirror_reachable": _mirror_reachable(source, uri, codename) if check_mirror else None,
    }


def _lock_holder(source: Source) -> str:
    for path in LOCKS:
        process = source.lock_holder(path)
        if process:
            return f"{_process_name(source, process)} (pid {process})"
        if process == 0:
            return "a process that only root can see"
    return ""


def _process_name(source: Source, process: int) -> str:
    words = [word for word in (source.read_text(f"/proc/{process}/cmdline") or "").split("\0") if word]
    # "python3 /usr/bin/unattended-upgrade": the script says more than its interpreter.
    if len(words) > 1 and re.search(r"/?(python[0-9.]*|perl|sh|bash|dash)$", words[0]):
        words = [word for word in words[1:] if not word.startswith("-")] or words
    name = words[0].rpartition("/")[2] if words else ""
    return name or (source.read_text(f"/proc/{process}/comm") or "").strip() or "a process"


def _lists_age_seconds(source: Source) -> float | None:
    if not any(name.endswith("Release") for name in source.names("/var/lib/apt/lists")):
        return None
    # apt gives the lists their age on the server, so the folders and the stamp tell the last update.
    paths = ("/var/lib/apt/lists", "/var/lib/apt/lists/partial", "/var/lib/apt/periodic/update-success-stamp")
    times = [when for path in paths if (when := source.modified(path)) is not None]
    return max(source.epoch() - max(times), 0.0) if times else None


def _source_entries(source: Source) -> list[dict[str, str]]:
    folder = "/etc/apt/sources.list.d"
    entries = one_line_entries(source.read_text("/etc/apt/sources.list") or "")
    for name in source.names(folder):
        text = source.read_text(f"{folder}/{name}") or ""
        if name.endswith(".sources"):
            entries += deb822_entries(text)
        elif name.endswith(".list"):
            entries += one_line_entries(text)
    return entries


def deb822_entries(text: str) -> list[dict[str, str]]:
    """Paragraphs of a .sources file (sources.list(5)); keys in lower case, continuations kept."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    entries = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        entry: dict[str, str] = {}
        key = ""
        for line in paragraph.splitlines():
            if line[:1].isspace() and key:
                entry[key] += "\n" + line
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                entry[key] = value.strip()
        if entry:
            entries.append(entry)
    return entries


def one_line_entries(text: str) -> list[dict[str, str]]:
    """Lines of a .list file: ``deb [signed-by=FILE] URI SUITE COMPONENT…``."""
    entries = []
    for line in text.splitlines():
        match = re.match(r"\s*(deb)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            kind, options, uri, suite, components = match.groups()
            signed = re.search(r"signed-by=(\S+)", options or "", re.IGNORECASE)
            entries.append(
                {
                    "types": kind,
                    "uris": uri,
                    "suites": suite,
                    "components": components,
                    "signed-by": signed.group(1) if signed else "",
                }
            )
    return entries


def debian_source(entries: list[dict[str, str]], codename: str) -> tuple[str, str]:
    """Where Debian's own packages of this release come from, and the key they are signed with.

    Raspberry Pi's archive carries the same suite name: it is told apart by its host, and a path
    that ends in /debian on any other host wins over one that does not.
    """
    found = []
    for entry in entries:
        if (
            "deb" in entry.get("types", "").split()
            and entry.get("enabled", "yes").lower() not in ("no", "false", "0")
            and codename in entry.get("suites", "").split()
            and "main" in entry.get("components", "").split()
        ):
            for uri in entry.get("uris", "").split():
                host = uri.partition("//")[2].partition("/")[0]
                if "raspberrypi" not in host and "raspbian" not in host:
                    named = uri.rstrip("/").endswith("/debian")
                    found.append((not named, uri, entry.get("signed-by", "")))
    best = min(found, key=lambda each: each[0], default=(True, "", ""))
    return best[1], best[2]


def _mirror_reachable(source: Source, uri: str, codename: str) -> bool:
    if uri.startswith("mirror+file:"):
        listed = (source.read_text("/" + uri.partition(":")[2].lstrip("/")) or "").split()
        uri = listed[0] if listed else ""
    return bool(uri) and source.can_fetch(f"{uri.rstrip('/')}/dists/{codename}/InRelease")
