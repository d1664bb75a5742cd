"""``lanpi room``: group chats."""

from typing import Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, with_login
from lanpi.cli.people import people_of
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode

app = typer.Typer(no_args_is_help=True, help="Create, list and destroy rooms for group chats.")

RoomArgument = Annotated[
    str, typer.Argument(metavar="ROOM", help="The part of the room's address before the @.", show_default=False)
]


@app.command()
@with_login
def create(
    room: RoomArgument,
    target: TargetArgument = None,
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="What people see, such as Kitchen.", show_default=False)
    ] = "",
    members_only: Annotated[bool, typer.Option("--members-only", help="Let in only members.")] = False,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Create a room that stays until you destroy it.

    A group has its room already.

    \b
    Example:
      lanpi room create kitchen pi@raspberrypi.local --title Kitchen
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        made = people.do("create_room", room=_name(room), title=title, members_only=members_only)
    if json_output:
        terminal.json(made)
    else:
        terminal.result(f"Created the room {made['room']}")


@app.command("list")
@with_login
def list_rooms(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """List the rooms, and show how many people are in each.

    \b
    Example:
      lanpi room list pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("rooms")
    if json_output:
        terminal.json(found)
    elif not found["rooms"]:
        terminal.result("There are no rooms yet.")
    else:
        terminal.table(
            ("Room", "Title", "Present", "Open to", "Group"),
            (
                (
                    each["room"],
                    each["title"],
                    str(each["people"]),
                    "members" if each["members_only"] else "everybody",
                    each["group"] or "-",
                )
                for each in found["rooms"]
            ),
        )


@app.command()
@with_login
def show(room: RoomArgument, target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Show a room's members and who is in it now.

    \b
    Example:
      lanpi room show kitchen pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("room", room=_name(room))
    if json_output:
        terminal.json(found)
        return
    terminal.result(f"{found['title']}, {found['room']}, {'members only' if found['members_only'] else 'open'}")
    for each in found["members"]:
        terminal.result(f"  {each['affiliation']:8} {each['address']}")
    for each in found["present"]:
        terminal.result(f"  present  {each['nick']} ({each['address']})")


@app.command()
@with_login
def members(room: RoomArgument, target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """List a room's owners, members and outcasts.

    \b
    Example:
      lanpi room members kitchen pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("room", room=_name(room))["members"]
    if json_output:
        terminal.json({"members": found})
    else:
        terminal.table(("Address", "Affiliation"), ((each["address"], each["affiliation"]) for each in found))


@app.command()
@with_login
def destroy(
    room: RoomArgument,
    target: TargetArgument = None,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Destroy a room with its messages.

    \b
    Example:
      lanpi room destroy kitchen pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output, yes=yes)
    with people_of(target, terminal, login) as people:
        people.do("room", room=_name(room))
        if not terminal.confirm(f"Permanently destroy the room {room} with its messages?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        gone = people.do("destroy_room", room=_name(room))
    if json_output:
        terminal.json(gone)
    else:
        terminal.result(f"Destroyed the room {gone['room']}")


def _name(room: str) -> str:
    """Both forms: ``kitchen`` and ``kitchen@conference.home.local``."""
    return room.partition("@")[0].lower()
