"""ejabberd's API as far as the modules of lanpi.pi.im use it, kept in memory; strict about what it does not know."""

from typing import Any

from lanpi.pi.im.api import Refused
from lanpi.pi.im.groups import Place

DOMAIN = "home.local"
ROOMS = f"conference.{DOMAIN}"


class FakeServer:
    """Accounts, groups, rooms, private data and tokens."""

    def __init__(self) -> None:
        self.accounts: dict[str, str] = {"admin": "x", "lanpi-check-1": "x", "lanpi-check-2": "x"}
        self.groups: dict[str, dict[str, Any]] = {}
        self.rooms: dict[str, dict[str, str]] = {}
        self.options: dict[str, dict[str, str]] = {}
        self.private: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.sessions: dict[str, list[str]] = {}
        self.disabled: set[str] = set()
        self.sent: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.cut_after: int | None = None
        self.without: set[str] = set()

    def __call__(self, command: str, /, **arguments: Any) -> Any:
        if self.cut_after is not None:
            if self.cut_after == 0:
                raise ConnectionError("the power is off")
            self.cut_after -= 1
        self.calls.append(command)
        name = command.partition("/")[0]
        if name in self.without:
            raise Refused(command, "404", "Endpoint not found.")
        return getattr(self, f"do_{name}")(**arguments)

    def do_registered_users(self, host: str) -> list[str]:
        return list(self.accounts)

    def do_connected_users(self) -> list[str]:
        return [f"{name}@{DOMAIN}/{each}" for name, those in self.sessions.items() for each in those]

    def do_register(self, user: str, host: str, password: str) -> str:
        if user in self.accounts or user == "refused":
            raise Refused("register", "409", "no")
        self.accounts[user] = password
        return ""

    def do_unregister(self, user: str, host: str) -> str:
        del self.accounts[user]
        self.private.pop(user, None)
        return ""

    def do_user_sessions_info(self, user: str, host: str) -> list[dict[str, Any]]:
        return [
            {"resource": each, "ip": "::ffff:10.0.0.9", "connection": "c2s_tls", "uptime": 61, "status": "available"}
            for each in self.sessions.get(user, [])
        ]

    def do_kick_session(self, user: str, host: str, resource: str, reason: str) -> int:
        self.sessions[user].remove(resource)
        return 0

    def do_get_ban_details(self, user: str, host: str) -> dict[str, str]:
        return {"reason": "x"} if user in self.disabled else {}

    def do_ban_account(self, user: str, host: str, reason: str) -> int:
        self.disabled.add(user)
        return 0

    def do_unban_account(self, user: str, host: str) -> int:
        self.disabled.remove(user)
        return 0

    def do_srg_list(self, host: str) -> list[str]:
        return list(self.groups)

    def do_srg_create(self, group: str, host: str, label: str, description: str, display: str) -> int:
        assert display == group
        self.groups[group] = {"label": label, "members": set()}
        return 0

    def do_srg_get_info(self, group: str, host: str) -> list[dict[str, str]]:
        return [{"key": "displayed_groups", "value": group}, {"key": "label", "value": self.groups[group]["label"]}]

    def do_srg_get_members(self, group: str, host: str) -> list[str]:
        return [f"{name}@{host}" for name in self.groups[group]["members"]]

    def do_srg_user_add(self, user: str, host: str, group: str, grouphost: str) -> int:
        self.groups[group]["members"].add(user)
        return 0

    def do_srg_user_del(self, user: str, host: str, group: str, grouphost: str) -> int:
        self.groups[group]["members"].remove(user)
        return 0

    def do_srg_delete(self, group: str, host: str) -> int:
        del self.groups[group]
        return 0

    def do_muc_online_rooms(self, host: str) -> list[str]:
        assert host == ROOMS
        return [f"{room}@{ROOMS}" for room in self.rooms]

    def do_create_room_with_opts(self, name: str, service: str, host: str, options: list[dict[str, str]]) -> int:
        self.rooms[name] = {}
        self.options[name] = {each["name"]: each["value"] for each in options}
        return 0

    def do_destroy_room(self, name: str, service: str) -> int:
        del self.rooms[name]
        return 0

    def do_get_room_options(self, name: str, service: str) -> dict[str, str]:
        return self.options[name]

    def do_get_room_occupants_number(self, name: str, service: str) -> int:
        return 0

    def do_get_room_occupants(self, name: str, service: str) -> list[dict[str, str]]:
        return []

    def do_get_room_affiliations(self, name: str, service: str) -> list[dict[str, str]]:
        return [
            {"username": address.partition("@")[0], "domain": DOMAIN, "affiliation": what, "reason": ""}
            for address, what in self.rooms[name].items()
        ]

    def do_set_room_affiliation(self, name: str, service: str, jid: str, affiliation: str) -> int:
        self.rooms[name].pop(jid, None)
        if affiliation != "none":
            self.rooms[name][jid] = affiliation
        return 0

    def do_private_get(self, user: str, host: str, element: str, ns: str) -> str:
        stored = self.private.get(user, f"<storage xmlns='{ns}'/>")
        return f"<query xmlns='jabber:iq:private'>{stored}</query>"

    def do_private_set(self, user: str, host: str, element: str) -> int:
        self.private[user] = element
        return 0

    def do_generate_invite(self, host: str) -> dict[str, str]:
        return self._token("")

    def do_generate_invite_with_username(self, username: str, host: str) -> dict[str, str]:
        if username in self.accounts:
            raise Refused("generate_invite_with_username", "400", '"Username already taken"')
        if username in self.tokens.values():
            raise Refused("generate_invite_with_username", "400", '"reserved"')
        return self._token(username)

    def do_generate_reset_token(self, username: str, host: str) -> dict[str, str]:
        return self._token(username)

    def _token(self, name: str) -> dict[str, str]:
        token = f"{len(self.calls):08}" + "a" * 16
        self.tokens[token] = name
        return {"invite_uri": f"xmpp:{DOMAIN}?register;preauth={token}", "landing_page": ""}

    def do_delete_invite_by_token(self, host: str, token: str) -> int:
        if token not in self.tokens:
            raise Refused("delete_invite_by_token", "400", '"not_found"')
        del self.tokens[token]
        return 0

    def do_send_message(self, type: str, to: str, subject: str, body: str, **rest: str) -> int:
        assert rest == {"from": DOMAIN}
        self.sent.append((to, body))
        return 0


def place(server: FakeServer) -> Place:
    """Where the functions work."""
    return Place(server, DOMAIN, "admin")
