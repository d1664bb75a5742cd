"""What all sections of lanpi.yml are made of."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


@dataclass(frozen=True)
class Allowed:
    """In a field's Annotated: the values it accepts, in words, where its type does not say enough."""

    text: str


def _absolute(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("it must be a full path on the Pi, starting with /")
    return value


PiPath = Annotated[str, AfterValidator(_absolute), Allowed("a full path on the Pi")]


class Section(BaseModel):
    """A section: read once, never changed, and nothing in it that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
