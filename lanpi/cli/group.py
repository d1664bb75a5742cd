"""``lanpi group``: people who see each other and share a room."""

from typing import Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, with_login
from lanpi.cli.people import counted, people_of
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode

app = typer.Typer(
    no_args_is_help=True,
    help="Groups: whoever is in one sees everybody in it among their contacts, and is in its room.",
)

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="The group's name.", show_default=False)]
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="An account: anna or anna@home.local.", show_default=False)
]


@app.command()
@with_login
def add(
    group: GroupArgument,
    target: TargetArgument = None,
    title: Annotated[
        str, typer.Option("--title", metavar="TEXT", help="What people see, such as Our family.", show_default=False)
    ] = "",
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Create a group and its room.

    \b
    Example:
      lanpi group add family pi@raspberrypi.local --title "Our family"
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        made = people.do("add_group", group=group, title=title)
    if json_output:
        terminal.json(made)
    elif made["created"]:
        terminal.result(f"Created the group {group} and the room {made['room']}")
    else:
        terminal.result(f"The group {group} exists already")


@app.command("list")
@with_login
def list_groups(target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """List the groups.

    \b
    Example:
      lanpi group list pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("groups")
    if json_output:
        terminal.json(found)
    elif not found["groups"]:
        terminal.result("There are no groups yet.")
    else:
        rows = ((each["group"], each["title"], str(len(each["members"]))) for each in found["groups"])
        terminal.table(("Group", "Title", "Members"), rows)


@app.command()
@with_login
def show(group: GroupArgument, target: TargetArgument = None, *, login: Login, json_output: Json = False) -> None:
    """Show a group's room and members.

    \b
    Example:
      lanpi group show family pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("group", group=group)
    if json_output:
        terminal.json(found)
        return
    terminal.result(f"{found['title']} ({found['group']}), room {found['room']}")
    for address in found["members"]:
        terminal.result(f"  {address}")
    if not found["members"]:
        terminal.result(
            "  Nobody yet. To put someone into it: " + terminal.place.complete(f"lanpi group join {group} NAME")
        )


@app.command()
@with_login
def join(
    group: GroupArgument,
    name: NameArgument,
    target: TargetArgument = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Put a person into a group and its room.

    \b
    Example:
      lanpi group join family anna pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        local = local_part(name, people.domain)
        joined = people.do("join", group=group, names=[local])["joined"]
    if json_output:
        terminal.json({"group": group, "joined": joined})
    else:
        terminal.result(f"{local} is in the group {group}" if joined else f"{local} was in the group {group} already")


@app.command()
@with_login
def leave(
    group: GroupArgument,
    name: NameArgument,
    target: TargetArgument = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Take a person out of a group and its room.

    \b
    Example:
      lanpi group leave family anna pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        local = local_part(name, people.domain)
        left = people.do("leave", group=group, names=[local])["left"]
    if json_output:
        terminal.json({"group": group, "left": left})
    else:
        terminal.result(f"{local} left the group {group}" if left else f"{local} was not in the group {group}")


@app.command()
@with_login
def remove(
    group: GroupArgument,
    target: TargetArgument = None,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Remove a group and its room; the people stay.

    \b
    Example:
      lanpi group remove family pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output, yes=yes)
    with people_of(target, terminal, login) as people:
        members = len(people.do("group", group=group)["members"])
        question = f"Permanently remove the group {group} ({counted(members, 'member')}) and its room's messages?"
        if not terminal.confirm(question):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        gone = people.do("remove_group", group=group)
    if json_output:
        terminal.json(gone)
    else:
        terminal.result(f"Removed the group {group} and its room; {counted(members, 'person', 'people')} left it")
