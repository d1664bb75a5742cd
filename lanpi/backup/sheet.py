"""The recovery sheet: everything needed to restore a dead Pi, on one page to keep in a drawer."""

import io
from collections.abc import Sequence

import segno


def recovery_sheet(domain: str, repositories: Sequence[str], key: str, *, paper: bool = True) -> str:
    """The sheet as text, with the key as a QR code too.

    Args:
        domain: of the server.
        repositories: as lanpi.yml names them.
        key: of all of them; whoever has it and a repository reads everything in it.
        paper: for a file to print; otherwise for a dark terminal.
    """
    code = io.StringIO()
    segno.make(key, error="m").terminal(out=code, border=2, compact=True)
    places = "\n".join(f"    {place}" for place in repositories)
    return f"""\
Recovery sheet of {domain}
{"=" * (18 + len(domain))}

With this key and one of the repositories you can restore everything; without the key, nothing.
Anyone who has both can read it all: keep this sheet with your papers, not next to the backup.

Key:

    {key}

Repositories:

{places}

To restore the server, on the same Pi or another one (its name does not matter):

 1. Save the key to a file, for example key.txt, on a computer that has lanpi.
 2. lanpi restore --from {repositories[0] if repositories else "REPOSITORY"} --key-file key.txt pi@raspberrypi.local

The key as a QR code:

{_for_paper(code.getvalue()) if paper else code.getvalue()}"""


_ON_PAPER = str.maketrans(" █▀▄", "█ ▄▀")
"""Characters are drawn bright on a dark terminal and dark on paper: a QR code is dark on bright."""


def _for_paper(text: str) -> str:
    # Two rows of the code a line: the last line is half a row of border and half nothing.
    return "\n".join(line.translate(_ON_PAPER).rstrip() for line in text.splitlines()[:-1]) + "\n"
