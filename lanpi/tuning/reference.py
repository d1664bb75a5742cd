"""The table of settings in docs/reference/tune.md, made from the knobs themselves."""

from lanpi.tuning.knobs import KNOBS
from lanpi.tuning.take import show

UNBOUNDED = 2**40


def table() -> str:
    """All settings as a Markdown table: name, what it can be, effect, source."""
    lines = ["| Setting | Allowed values | What it does | Source |", "| --- | --- | --- | --- |"]
    for knob in KNOBS.values():
        if knob.fixed:
            bounds = f"follows from `{knob.fixed}`"
        elif knob.choices:
            bounds = ", ".join(choice for choice in knob.choices if choice)
        elif knob.high >= UNBOUNDED:
            bounds = f"{show(knob.low, knob.unit)} up to what this Pi's other parts leave"
        else:
            bounds = f"{show(knob.low, knob.unit)} to {show(knob.high, knob.unit)}"
        lines.append(f"| `{knob.name}` | {bounds} | {knob.why} | {knob.source} |")
    return "\n".join(lines) + "\n"
