"""The recovery sheet: everything needed to restore a dead Pi, on one page to keep in a drawer."""

import io
from collections.abc import Sequence

import segno

_NEEDS = {
    "usb:": "Plug the disk into the new Pi first.",
    "sftp:": "Let the new Pi in first: run `sudo ssh-keygen -t ed25519` and `sudo ssh-copy-id USER@HOST` on it.",
    "rest:": "Its login (RESTIC_REST_USERNAME, RESTIC_REST_PASSWORD) goes into a file for --environment-file.",
    "s3:": "Its login (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) goes into a file for --environment-file.",
}
"""What another Pi needs before it reaches a place, by the beginning of the place's name."""
_FOLDER_NEEDS = "Connect the disk with this folder to the new Pi first."
_ON_PAPER = str.maketrans(" █▀▄", "█ ▄▀")
"""Characters are drawn bright on a dark terminal and dark on paper: a QR code is dark on bright."""


def recovery_sheet(domain: str, places: Sequence[str], key: str, *, paper: bool = True) -> str:
    """The sheet as text, with the key as a QR code too.

    Args:
        domain: of the server.
        places: that outlive the Pi's card, as lanpi.yml names them; a sheet is for the day on which the card is lost.
        key: of all of them; whoever has it and a repository reads everything in it.
        paper: for a file to print; otherwise for a dark terminal.
    """
    code = io.StringIO()
    segno.make(key, error="m").terminal(out=code, border=2, compact=True)
    return f"""\
Recovery sheet of {domain}
{"=" * (18 + len(domain))}

With this key and one of the places you can restore everything; without the key, nothing.
Anyone who has both can read it all: keep this sheet with your papers, not next to the backup.

Key:

    {key}

{_places(places) if places else _NOWHERE}
The key as a QR code:

{_for_paper(code.getvalue()) if paper else code.getvalue()}"""


_NOWHERE = """\
Places: NONE YET

Every backup is on the Pi's own card and is lost with it. Add a place that outlives the card, and write a new sheet:

    lanpi backup add usb:UUID pi@raspberrypi.local     (or sftp:USER@HOST:/FOLDER, rest:URL, s3:URL)
    lanpi backup key --output recovery.txt pi@raspberrypi.local
"""


def _places(places: Sequence[str]) -> str:
    listed = "\n".join(f"    {place}" for place in places)
    first = places[0]
    needs = next((text for kind, text in _NEEDS.items() if first.startswith(kind)), _FOLDER_NEEDS)
    login = " --environment-file login.txt" if first.startswith(("rest:", "s3:")) else ""
    return f"""\
Places:

{listed}

To restore the server on another Pi (its name does not matter):

 1. Save the key to a file, for example key.txt, on a computer that has lanpi.
 2. {needs}
 3. lanpi restore --from {first} --key-file key.txt{login} pi@raspberrypi.local
"""


def _for_paper(text: str) -> str:
    # Two rows of the code a line: the last line is half a row of border and half nothing.
    return "\n".join(line.translate(_ON_PAPER).rstrip() for line in text.splitlines()[:-1]) + "\n"
