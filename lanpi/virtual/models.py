"""The Raspberry Pi models that a virtual Pi can stand for."""

from dataclasses import dataclass

from lanpi.errors import ExitCode, LanpiError

MIB = 1024 * 1024


@dataclass(frozen=True)
class Model:
    """A board: what it is called and what it can carry.

    Attributes:
        name: as the user types it.
        title: what the board's firmware reports in /sys/firmware/devicetree/base/model.
        memory_bytes: the board's memory; the virtual Pi's cap.
        cores: processors; the virtual Pi gets fewer when this machine has fewer.
    """

    name: str
    title: str
    memory_bytes: int
    cores: int


# Memory and cores: the product briefs on raspberrypi.com. Every model here has four cores.
MODELS = {
    model.name: model
    for model in (
        Model("zero2w", "Raspberry Pi Zero 2 W Rev 1.0", 512 * MIB, 4),
        Model("3b+", "Raspberry Pi 3 Model B Plus Rev 1.3", 1024 * MIB, 4),
        Model("4-2g", "Raspberry Pi 4 Model B Rev 1.5", 2048 * MIB, 4),
        Model("4-4g", "Raspberry Pi 4 Model B Rev 1.5", 4096 * MIB, 4),
        Model("4-8g", "Raspberry Pi 4 Model B Rev 1.5", 8192 * MIB, 4),
        Model("5-8g", "Raspberry Pi 5 Model B Rev 1.0", 8192 * MIB, 4),
    )
}
DEFAULT_MODEL = "4-4g"
SUITES = ("trixie", "bookworm")
DEFAULT_SUITE = "trixie"


def find_model(name: str) -> Model:
    """The model of that name.

    Raises:
        LanpiError: BAD_INPUT when there is none.
    """
    if name not in MODELS:
        raise LanpiError(
            f"{name!r} is not a known Pi model",
            next_step=f"Use one of {', '.join(MODELS)}",
            exit_code=ExitCode.BAD_INPUT,
        )
    return MODELS[name]


def check_suite(suite: str) -> str:
    """The suite itself where a base image of it can be made.

    Raises:
        LanpiError: BAD_INPUT when it can't.
    """
    if suite not in SUITES:
        raise LanpiError(
            f"{suite!r} is not a suite that virtual Pis can run",
            next_step=f"Use one of {', '.join(SUITES)}",
            exit_code=ExitCode.BAD_INPUT,
        )
    return suite
