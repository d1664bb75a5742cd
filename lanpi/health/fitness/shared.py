"""Findings of the health table as preflight tells them."""

from dataclasses import replace

from lanpi.health.finding import Finding


def as_preflight(found: Finding, id: str, *, well: str = "", unknown: str = "", fix: str = "") -> Finding:
    """A finding under preflight's name for it, at its own level.

    Args:
        found: of the health table.
        id: preflight's name.
        well: what to say where all is well; the finding's own text without.
        unknown: what to say where it cannot be told.
        fix: what lanpi or the user does about it; the finding's own without.
    """
    text = found.text
    if found.is_bad and found.cause and found.cause != text:
        text = f"{found.cause}: {text}"
    elif found.level == "ok" and well:
        text = well
    elif found.level == "unknown" and unknown:
        text = unknown
    return replace(found, id=id, text=text, fix=fix or (found.fix if found.is_bad else ""))
