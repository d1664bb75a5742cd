"""The proof made on the Pi itself: where a jump host stands between it and the operator."""

import asyncio
import dataclasses
import json
import sys

from lanpi.pi.xmpp.client import Login, XmppError
from lanpi.pi.xmpp.exchange import exchange


def main() -> None:
    """Command line: the two logins as JSON. It travels inside the program, and so may hold their passwords."""
    try:
        done = asyncio.run(exchange(*[Login(**login) for login in json.loads(sys.argv[1])]))
        json.dump(dataclasses.asdict(done), sys.stdout)
    except XmppError as error:
        json.dump({"error": str(error)}, sys.stdout)
