"""What the operator asks about people: one action by its name, its arguments and its result as JSON."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lanpi.pi.im import accounts, groups, invites, record, rooms
from lanpi.pi.im.api import Refused, admin_of, asking, database_of
from lanpi.pi.im.database import Database
from lanpi.pi.im.groups import Place
from lanpi.pi.im.invites import Wish
from lanpi.pi.im.problem import Problem
from lanpi.pi.im.record import Invitation

CONFIG = Path("/etc/lanpi/lanpi.yml")
CERTIFICATE_NAMES = Path("/etc/lanpi/tls/names")
"""What the local certificate covers, as /usr/lib/lanpi/tls writes it: DNS:NAME,IP:ADDRESS,…"""


class Actions:
    """All actions; each takes JSON's types as keyword arguments.

    Args:
        place: the server.
        database: ejabberd's.
    """

    def __init__(self, place: Place, database: Database) -> None:
        self._place = place
        self._database = database

    def invite(self, wishes: list[dict[str, Any]], seconds: int, groups_default: bool) -> dict[str, Any]:
        """Make invitations; those without groups are for ``everyone``, if there is such a group and it is wanted."""
        without = sum(not each["groups"] for each in wishes)
        default = groups.defaults(self._place, without) if groups_default and without else ()
        wanted = [Wish(each["name"], each["person"], tuple(each["groups"]) or default) for each in wishes]
        made = invites.make(self._place, wanted, seconds)
        return {"invitations": [_invitation(each) for each in made], "addresses": covered_addresses()}

    def reset(self, name: str, seconds: int) -> dict[str, Any]:
        """Make a link for a new password."""
        accounts.require(self._place, [name])
        made = invites.reset(self._place, name, seconds)
        return {"invitations": [_invitation(made)], "addresses": covered_addresses()}

    def invitations(self) -> dict[str, Any]:
        """All invitations that are kept."""
        return {"invitations": [_invitation(each) for each in record.load()], "addresses": covered_addresses()}

    def revoke(self, identity: str) -> dict[str, Any]:
        """Revoke an invitation, or all."""
        return {"invitations": [_invitation(each) for each in invites.revoke(self._place, identity)]}

    def accounts(self) -> dict[str, Any]:
        """All accounts."""
        return {"accounts": accounts.overview(self._place, self._database)}

    def account(self, name: str, quota_bytes: int) -> dict[str, Any]:
        """One account."""
        return accounts.show(self._place, self._database, name, quota_bytes)

    def sessions(self, name: str) -> dict[str, Any]:
        """A person's sessions."""
        return {"sessions": accounts.sessions(self._place, name)}

    def kick(self, name: str, resource: str) -> dict[str, Any]:
        """End sessions."""
        return {"ended": accounts.kick(self._place, name, resource)}

    def disable(self, name: str, reason: str) -> dict[str, Any]:
        """Disable an account."""
        accounts.disable(self._place, name, reason)
        return {"address": f"{name}@{self._place.domain}"}

    def enable(self, name: str) -> dict[str, Any]:
        """Enable an account."""
        accounts.enable(self._place, name)
        return {"address": f"{name}@{self._place.domain}"}

    def unregister(self, name: str, force: bool) -> dict[str, Any]:
        """Remove an account."""
        return accounts.remove(self._place, self._database, name, force=force)

    def register(self, people: list[dict[str, Any]], groups_default: bool, all_or_nothing: bool) -> dict[str, Any]:
        """Create accounts."""
        without = sum(not each["groups"] for each in people)
        default = groups.defaults(self._place, without) if groups_default and without else ()
        wanted = [each | {"groups": each["groups"] or list(default)} for each in people]
        made = accounts.register(self._place, wanted, all_or_nothing=all_or_nothing)
        return {"accounts": made, "groups": list(default)}

    def groups(self) -> dict[str, Any]:
        """All groups."""
        return {"groups": [groups.show(self._place, group) for group in groups.names(self._place)]}

    def group(self, group: str) -> dict[str, Any]:
        """One group."""
        return groups.show(self._place, group)

    def add_group(self, group: str, title: str) -> dict[str, Any]:
        """Create a group."""
        return groups.add(self._place, group, title)

    def remove_group(self, group: str) -> dict[str, Any]:
        """Remove a group."""
        return groups.remove(self._place, group)

    def join(self, group: str, names: list[str]) -> dict[str, Any]:
        """Put people into a group."""
        groups.require(self._place, group)
        accounts.require(self._place, names)
        return {"joined": groups.join(self._place, group, names)}

    def leave(self, group: str, names: list[str]) -> dict[str, Any]:
        """Take people out of a group."""
        groups.require(self._place, group)
        accounts.require(self._place, names)
        return {"left": groups.leave(self._place, group, names)}

    def rooms(self) -> dict[str, Any]:
        """All rooms."""
        return {"rooms": rooms.overview(self._place)}

    def room(self, room: str) -> dict[str, Any]:
        """One room."""
        return rooms.show(self._place, room)

    def create_room(self, room: str, title: str, members_only: bool) -> dict[str, Any]:
        """Create a room."""
        return rooms.create(self._place, room, title, members_only=members_only)

    def destroy_room(self, room: str) -> dict[str, Any]:
        """Destroy a room."""
        return rooms.destroy(self._place, room)

    def announce(self, text: str, subject: str, group: str, online: bool) -> dict[str, Any]:
        """Send everybody, a group, or those who are online a message from the server."""
        if group:
            groups.require(self._place, group)
        names = groups.members(self._place, group) if group else accounts.everybody(self._place)
        if online:
            now = {address.partition("@")[0] for address in self._place.ask("connected_users")}
            names = [name for name in names if name in now]
        for name in names:
            self._place.ask(
                "send_message",
                type="chat",
                to=f"{name}@{self._place.domain}",
                subject=subject,
                body=text,
                **{"from": self._place.domain},
            )
        return {"people": len(names)}


def covered_addresses(path: Path = CERTIFICATE_NAMES) -> list[str]:
    """The IPv4 addresses that the local certificate covers; none with a certificate from elsewhere."""
    try:
        names = path.read_text("utf-8").strip().split(",")
    except FileNotFoundError:
        return []
    return [name.removeprefix("IP:") for name in names if name.startswith("IP:") and ":" not in name[3:]]


def _invitation(each: Invitation) -> dict[str, Any]:
    return asdict(each) | {"id": each.identity}


def run(actions: object, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Do one thing: its result under ``done``, or what went wrong under ``problem``."""
    method: Callable[..., dict[str, Any]] = getattr(actions, action)
    try:
        return {"done": method(**arguments)}
    except Problem as problem:
        return _problem(problem.what, problem.next_step, problem.bad_input)
    except Refused as refused:
        return _problem(f"ejabberd refused {refused}", "Run `lanpi doctor`", False)
    except OSError as error:
        return _problem(f"ejabberd does not answer: {error}", "Run `lanpi doctor`", False)


def _problem(what: str, next_step: str, bad_input: bool) -> dict[str, Any]:
    return {"problem": {"what": what, "next_step": next_step, "bad_input": bad_input}}


def main() -> None:
    """``manage DOMAIN ACTION ARGUMENTS``, the last as JSON."""
    os.umask(0o077)
    domain, action, arguments = sys.argv[1:]
    config = CONFIG.read_text("utf-8") if CONFIG.exists() else ""
    actions = Actions(Place(asking(domain), domain, admin_of(config)), Database(database_of(config), domain))
    sys.stdout.write(json.dumps(run(actions, action, json.loads(arguments))) + "\n")
