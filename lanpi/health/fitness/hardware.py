"""The board: model, memory, cores, page size."""

from collections.abc import Iterator

from lanpi.facts.model import Facts
from lanpi.health.finding import Finding, ok, refusal, warning

# The system sees 416 to 473 MiB on a 512 MB board (Zero 2 W), depending on the firmware's share.
MEMORY_NEEDED_BYTES = 400_000_000
# The system sees about 906 MiB on a 1 GB board (3B+).
MEMORY_COMFORTABLE_BYTES = 900_000_000
# Debian builds jemalloc, Redis's allocator and the one known to fail on larger pages, for pages of
# up to 64 KiB on all but x86: --with-lg-page=16 in debian/rules of 5.3.0-1 and 5.3.0-3.
PAGE_SIZES_BYTES = (4096, 16384, 65536)


def findings(facts: Facts, *, forced: bool) -> Iterator[Finding]:
    """Model, memory, cores and page size."""
    hardware = facts.hardware
    hint = "" if "Raspberry Pi" in hardware.model else "Not a Raspberry Pi: some health readings will be missing"
    yield ok("model", hardware.model, hint)
    yield _memory(hardware.memory_bytes, forced=forced)
    if hardware.cores > 1:
        yield ok("cores", f"{hardware.cores} cores")
    else:
        yield warning("cores", "only one core", "Expect slow logins: each takes tens of milliseconds of processor time")
    kibibytes = facts.os.page_size_bytes // 1024
    if facts.os.page_size_bytes in PAGE_SIZES_BYTES:
        yield ok("page-size", f"memory pages of {kibibytes} KiB")
    else:
        yield warning(
            "page-size",
            f"memory pages of {kibibytes} KiB, which Debian's Redis does not support",
            "Boot a kernel with pages of 4 or 16 KiB",
        )


def _memory(size: int, *, forced: bool) -> Finding:
    text = f"{size / 1024**2:.0f} MiB of memory"
    if size < MEMORY_NEEDED_BYTES:
        return refusal("memory", f"{text} is too little", "Use a Pi with 512 MB or more", forced=forced)
    if size < MEMORY_COMFORTABLE_BYTES:
        return warning("memory", text, "Enough for a family; lanpi sets low limits")
    return ok("memory", text)
