"""Whether this Pi's server has moved to another Pi, as `lanpi migrate` notes it here."""

import json

from lanpi.pi.read.recorded import Recorded
from lanpi.pi.read.source import Machine

MARKER = "/var/lib/lanpi/moved.json"
"""Written when the move is proven; removed when a server is brought here again."""


def moved(source: Machine | Recorded) -> dict[str, str] | None:
    """``when`` (ISO 8601), ``domain`` and ``to`` (the new Pi's address); None where no server has moved out.

    A marker that cannot be understood still says that one has: two servers with one name are worse than none.
    """
    text = source.read_text(MARKER)
    if text is None:
        return None
    try:
        known = json.loads(text)
        return {key: str(known.get(key) or "") for key in ("when", "domain", "to")}
    except (ValueError, AttributeError):
        return {"when": "", "domain": "", "to": ""}
