"""Names of accounts: what people write to the name that the server keeps (RFC 7622 3.3, RFC 8265 3.3)."""

from lanpi.errors import ExitCode, LanpiError
from lanpi.pi.checks.names import RESERVED_PREFIX

PROFILE = "UsernameCaseMapped"
NOT_IN_LOCAL_PARTS = "\"&'/:<>@"
"""What RFC 7622 3.3.1 forbids beyond the PRECIS profile."""
LONGEST_BYTES = 1023


def local_part(text: str, domain: str) -> str:
    """The local part of an account that somebody named as ``anna`` or ``anna@home.local``, normalized.

    Args:
        text: as written.
        domain: of the server, which an address must have.

    Raises:
        LanpiError: BAD_INPUT with what is wrong with it.
    """
    name, at, place = text.strip().partition("@")
    if at and place.lower() != domain:
        raise _refused(f"{text} is not an address of this Pi", f"Its addresses end in @{domain}")
    # Imported here: the tables of Unicode take 30 ms, and most commands need no names.
    from precis_i18n import get_profile  # noqa: PLC0415

    try:
        normalized = str(get_profile(PROFILE).enforce(name))
    except UnicodeEncodeError as error:
        raise _refused(f"{text!r} is not a valid account name: {_reason(name, error)}", _ADVICE) from error
    forbidden = next((character for character in normalized if character in NOT_IN_LOCAL_PARTS), "")
    if forbidden:
        raise _refused(f"{text!r} is not a valid account name: it contains {forbidden}", _ADVICE)
    if len(normalized.encode()) > LONGEST_BYTES:
        raise _refused(f"the account name has more than {LONGEST_BYTES} bytes", "Choose a shorter one")
    return normalized


def new_name(text: str, domain: str) -> str:
    """The same for an account to be created, which cannot have a name of lanpi's own.

    Raises:
        LanpiError: BAD_INPUT with what is wrong with it.
    """
    name = local_part(text, domain)
    if name.startswith(RESERVED_PREFIX):
        raise _refused(
            f"{name} is reserved: names that begin with {RESERVED_PREFIX} are lanpi's own", "Choose another name"
        )
    return name


_ADVICE = "Use letters, digits, dots, hyphens and underscores, such as anna or anna.b"


def _reason(name: str, error: UnicodeEncodeError) -> str:
    if not name:
        return "it is empty"
    character = name[error.start]
    if character.isspace():
        return "it contains a space"
    return (
        f"it contains the character {character!r} (U+{ord(character):04X})"
        if character.isprintable()
        else (f"it contains an invisible character (U+{ord(character):04X})")
    )


def _refused(what: str, next_step: str) -> LanpiError:
    return LanpiError(what, next_step=next_step, exit_code=ExitCode.BAD_INPUT)
