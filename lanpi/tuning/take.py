"""Collects a decision value by value: applies overrides, checks bounds, keeps the explanation."""

import difflib
import re
from collections.abc import Mapping

from lanpi.errors import ExitCode, LanpiError
from lanpi.tuning.knobs import KNOBS, Knob
from lanpi.tuning.model import Setting

_SIZE = re.compile(r"^(\d+)\s*([KMG])(i?B)?$", re.IGNORECASE)
_FACTOR = {"K": 1024, "M": 1024**2, "G": 1024**3}


class Taker:
    """The settings decided so far.

    Args:
        overrides: ``tune.overrides`` of the configuration.

    Raises:
        LanpiError: BAD_INPUT for an unknown name.
    """

    def __init__(self, overrides: Mapping[str, int | str]) -> None:
        for name in overrides:
            if name not in KNOBS:
                near = difflib.get_close_matches(name, KNOBS, n=3, cutoff=0.5)
                hint = f"; did you mean {', '.join(near)}?" if near else ""
                raise _refused(f"tune.overrides: there is no setting {name}{hint}")
            if KNOBS[name].fixed:
                raise _refused(f"tune.overrides: {name} follows from {KNOBS[name].fixed}; set that instead")
        self._overrides = overrides
        self.settings: list[Setting] = []

    def number(
        self,
        name: str,
        computed: float,
        formula: str,
        *,
        low: int | None = None,
        high: int | None = None,
        limit: str = "",
    ) -> int:
        """Decide a number.

        Args:
            name: of the knob.
            computed: what the formula gives; whole numbers of what the knob's unit is.
            formula: with this Pi's numbers.
            low, high: bounds narrower than the knob's own.
            limit: why they are narrower, for the refusal.

        Returns:
            The number, or the one that overrides it.

        Raises:
            LanpiError: BAD_INPUT for an override out of bounds.
        """
        knob = KNOBS[name]
        least = knob.low if low is None else max(low, knob.low)
        most = knob.high if high is None else min(high, knob.high)
        bounds = f"{show(least, knob.unit)} to {show(most, knob.unit)}"
        own = int(computed)
        value = own
        if name in self._overrides:
            value = _parse(knob, self._overrides[name])
            if not least <= value <= most:
                because = f" ({limit})" if limit else ""
                raise _refused(f"tune.overrides: {name} must be from {bounds}{because}, not {show(value, knob.unit)}")
        self._keep(knob, value, own, formula, "" if knob.fixed else bounds)
        return value

    def word(self, name: str, computed: str, formula: str) -> str:
        """Decide a word; see :meth:`number`."""
        knob = KNOBS[name]
        value = computed
        allowed = ", ".join(choice for choice in knob.choices if choice)
        if name in self._overrides:
            value = str(self._overrides[name])
            if value not in knob.choices:
                raise _refused(f"tune.overrides: {name} must be one of {allowed}, not {value!r}")
        self._keep(knob, value, computed, formula, f"one of {allowed}")
        return value

    def _keep(self, knob: Knob, value: int | str, computed: int | str, formula: str, bounds: str) -> None:
        self.settings.append(
            Setting(knob.name, value, computed, knob.unit, formula, knob.why, knob.source, knob.lands, bounds)
        )

    def finish(self) -> tuple[Setting, ...]:
        """The settings in the table's order.

        Raises:
            LanpiError: BAD_INPUT for an override of something that this Pi does not have.
        """
        taken = {setting.name for setting in self.settings}
        for name in self._overrides:
            if name not in taken:
                raise _refused(f"tune.overrides: {name} has no effect on this Pi as it is configured")
        order = list(KNOBS)
        return tuple(sorted(self.settings, key=lambda setting: order.index(setting.name)))


def _parse(knob: Knob, given: int | str) -> int:
    if isinstance(given, int):
        return given
    size = _SIZE.match(given) if knob.unit == "bytes" else None
    if size:
        return int(size[1]) * _FACTOR[size[2].upper()]
    if re.fullmatch(r"-?\d+", given):
        return int(given)
    example = "a number of bytes or a size such as 300M" if knob.unit == "bytes" else "a whole number"
    raise _refused(f"tune.overrides: {knob.name} takes {example}, not {given!r}")


def show(value: int | str, unit: str) -> str:
    """A value with its unit, for people: exact where it is set, in round units where it is large.

    Examples:
        >>> show(1073741824, "bytes"), show(300, "seconds")
        ('1 GiB', '300 s')
    """
    if isinstance(value, str):
        return value or "unchanged"
    if unit in ("bytes", "bytes/s"):
        after = unit.removeprefix("bytes")
        for factor, name in ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
            if value >= factor and value % factor == 0:
                return f"{value // factor:,} {name}{after}"
        if value >= 1024**2:
            return f"{value / 1024**2:,.1f} MiB{after}"
        return f"{value:,} B{after}"
    suffix = {"seconds": " s", "1/100 s": "/100 s", "KiB": " KiB", "per second": "/s"}.get(unit, "")
    return f"{value:,}{suffix}" if unit != "" else str(value)


def _refused(what: str) -> LanpiError:
    return LanpiError(
        what,
        next_step="`lanpi tune --plan` lists all settings; `lanpi tune --explain NAME` shows the bounds of one",
        exit_code=ExitCode.BAD_INPUT,
    )
