"""For scripts/demo: one person writes to another on an installed Pi, over TLS verified with its own authority.

Usage: demo_message.py TARGET CA SENDER:PASSWORD_FILE RECEIVER:PASSWORD_FILE TEXT
"""

import asyncio
import json
import sys
from pathlib import Path

from lanpi import paths
from lanpi.hosts import ConnectOptions, open_host, parse_target
from lanpi.pi.xmpp.client import Client, Login


async def say(sender: Login, receiver: Login, text: str) -> None:
    """Log both in, send, wait for it to arrive, and show both sides."""
    async with Client(sender) as one, Client(receiver) as two:
        await two.available()
        await two.ask("<ping xmlns='urn:xmpp:ping'/>", to=receiver.domain)
        print(f"{sender.jid} writes:    {text}")
        await one.message(receiver.jid, text, "demo")
        received = await two.receive(text)
        print(f"{receiver.jid} receives:  {received.findtext('{jabber:client}body')}")
        print(f"in {receiver.user}'s archive:  {', '.join(await two.archive(sender.jid))}")


def main() -> None:
    """Read the arguments and have the conversation."""
    target, ca, *people, text = sys.argv[1:]
    with open_host(parse_target(target), ConnectOptions()) as host:
        domain = json.loads(host.get(paths.PI_INSTALLED))["domain"]
        logins = []
        for person in people:
            name, _, file = person.partition(":")
            logins.append(Login(name, domain, Path(file).read_text().strip(), host.address, ca=ca))
    asyncio.run(say(logins[0], logins[1], text))


main()
