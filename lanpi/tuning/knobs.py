"""What can be set, in one table.

What has no known effect on a messaging server on a Pi is not here; docs/reference/tune.md lists
what was left out and why.
"""

from lanpi.tuning.knob import Knob
from lanpi.tuning.server_knobs import SERVER
from lanpi.tuning.system_knobs import SYSTEM

__all__ = ["KNOBS", "Knob"]

KNOBS: dict[str, Knob] = {knob.name: knob for knob in (*SERVER, *SYSTEM)}
"""All of them by name, in the order in which they are shown."""
