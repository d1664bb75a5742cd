"""``lanpi invite``: links with which people create their own accounts."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.groups import DefaultGroup
from lanpi.cli.options import Json, Login, TargetArgument, Yes, with_login
from lanpi.cli.people import (
    GroupOption,
    NoGroup,
    People,
    counted,
    note_no_group,
    people_of,
    wanted_groups,
    write_private,
)
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError

NEW = "new"
MOST = 1000


app = typer.Typer(
    cls=DefaultGroup,
    help="Invite people: each gets a link and a QR code, and chooses a name and a password.\n\n"
    "`lanpi invite TARGET` is short for `lanpi invite new TARGET`.",
)

ExpiresOption = Annotated[
    str, typer.Option("--expires", metavar="TIME", help="How long the link works: 30m, 12h, 7d or 2w, up to 30 days.")
]
PrintOption = Annotated[
    Path | None,
    typer.Option(
        "--print",
        metavar="FILE",
        help="Write a sheet to print (FILE.html), or the QR code as a picture (FILE.png).",
        show_default=False,
    ),
]
IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Of the invitation, as `lanpi invite list` shows it.", show_default=False)
]


@app.command(NEW)
@with_login
def new(
    target: TargetArgument = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="Reserve this account name; can be repeated.", show_default=False),
    ] = None,
    group: GroupOption = None,
    no_group: NoGroup = False,
    expires: ExpiresOption = "7d",
    number: Annotated[
        int | None,
        typer.Option("--for", metavar="NUMBER", min=1, max=MOST, help="How many people to invite.", show_default=False),
    ] = None,
    sheet: PrintOption = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Make a link and a QR code, each for one person.

    Whoever joins finds everybody of the group among their contacts, and is in its room. Without --group, the group is
    everyone, if there is one.

    \b
    Examples:
      lanpi invite new pi@raspberrypi.local
      lanpi invite new pi@raspberrypi.local --name anna --group family --expires 2d
      lanpi invite new pi@raspberrypi.local --for 30 --print sheet.html
    """
    from lanpi.im.invitation import seconds_of
    from lanpi.im.names import new_name

    terminal = Terminal(json_output=json_output)
    if name and number:
        raise LanpiError("--name and --for exclude each other", exit_code=ExitCode.BAD_INPUT)
    groups, seconds = wanted_groups(group, no_group), seconds_of(expires)
    check_sheet(sheet, len(name or []) or number or 1)
    with people_of(target, terminal, login) as people:
        names = [new_name(each, people.domain) for each in name or []]
        wishes = [{"name": each, "person": "", "groups": groups} for each in names or [""] * (number or 1)]
        made = people.do("invite", wishes=wishes, seconds=seconds, groups_default=not no_group)
        show_cards(terminal, people, made, sheet)
    if not no_group and not any(each["groups"] for each in made["invitations"]):
        note_no_group(terminal)


@app.command("list")
@with_login
def list_invitations(
    target: TargetArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were used, revoked or have expired.")] = False,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """List the invitations, and who used them.

    \b
    Examples:
      lanpi invite list pi@raspberrypi.local
      lanpi invite list pi@raspberrypi.local --all
    """
    from lanpi.im.invitation import moment

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("invitations")["invitations"]
    shown = [each for each in found if every or each["state"] == "open"]
    if json_output:
        # Without the tokens: `lanpi invite show` gives the link of one.
        terminal.json({"invitations": [{key: each[key] for key in each if key != "token"} for each in shown]})
        return
    if not shown:
        terminal.result("There are no open invitations.")
        return
    terminal.table(
        ("ID", "For", "Groups", "Until", "State"),
        (
            (
                each["id"],
                _whom(each),
                ", ".join(each["groups"]) or "-",
                moment(each["expires"]),
                f"used by {each['used_by']}" if each["used_by"] else each["state"],
            )
            for each in shown
        ),
    )


@app.command()
@with_login
def show(
    invitation: IdArgument,
    target: TargetArgument = None,
    sheet: PrintOption = None,
    *,
    login: Login,
    json_output: Json = False,
) -> None:
    """Show the link and the QR code of an open invitation again.

    \b
    Example:
      lanpi invite show 2rhed1ot pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    check_sheet(sheet, 1)
    with people_of(target, terminal, login) as people:
        found = people.do("invitations")
        matching = [each for each in found["invitations"] if each["id"] == invitation and each["state"] == "open"]
        if not matching:
            raise LanpiError(
                f"there is no open invitation {invitation}",
                host=people.host.name,
                next_step="`lanpi invite list` shows all invitations",
                exit_code=ExitCode.BAD_INPUT,
            )
        show_cards(terminal, people, found | {"invitations": matching}, sheet)


@app.command()
@with_login
def revoke(
    invitation: Annotated[
        str,
        typer.Argument(metavar="ID", help="Of the invitation, or all for every open invitation.", show_default=False),
    ],
    target: TargetArgument = None,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Revoke an open invitation: its link no longer works.

    \b
    Examples:
      lanpi invite revoke 2rhed1ot pi@raspberrypi.local
      lanpi invite revoke all pi@raspberrypi.local --yes
    """
    terminal = Terminal(json_output=json_output, yes=yes)
    with people_of(target, terminal, login) as people:
        if invitation == "all" and not terminal.confirm("Revoke every open invitation?"):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        ended = people.do("revoke", identity=invitation)["invitations"]
    if json_output:
        terminal.json({"revoked": [each["id"] for each in ended]})
    else:
        terminal.result(f"Revoked {counted(len(ended), 'invitation')}")


def check_sheet(sheet: Path | None, number: int) -> None:
    """Refuse a sheet that could not be written, before anything is made.

    Raises:
        LanpiError: BAD_INPUT.
    """
    if sheet is None:
        return
    if sheet.suffix.lower() not in (".html", ".png"):
        raise LanpiError(
            f"lanpi cannot write {sheet.name}: it writes .html and .png",
            next_step="Choose FILE.html, which every browser prints or saves as a PDF",
            exit_code=ExitCode.BAD_INPUT,
        )
    if sheet.suffix.lower() == ".png" and number > 1:
        raise LanpiError(
            f"a picture holds one QR code, and there are {number} invitations",
            next_step="Choose FILE.html",
            exit_code=ExitCode.BAD_INPUT,
        )
    if not sheet.absolute().parent.is_dir():
        raise LanpiError(f"there is no folder {sheet.absolute().parent}", exit_code=ExitCode.BAD_INPUT)


def show_cards(terminal: Terminal, people: People, made: dict[str, Any], sheet: Path | None) -> None:
    """Invitations as they were made: links, a QR code where there is one, and the sheet."""
    from lanpi.im import invitation

    cards = [
        invitation.card(each, people.domain, made["addresses"], people.host.address) for each in made["invitations"]
    ]
    if sheet:
        png = sheet.suffix.lower() == ".png"
        data = invitation.png(cards[0].scanned) if png else invitation.sheet(cards, people.domain).encode()
        write_private(sheet, data)
    if terminal.json_output:
        terminal.json({"invitations": [_document(each) for each in cards]} | ({"sheet": str(sheet)} if sheet else {}))
        return
    if len(cards) == 1:
        _show_one(terminal, cards[0])
    elif not sheet:
        terminal.table(("ID", "For", "Link"), ((each.identity, each.title, each.link) for each in cards))
    else:
        terminal.result(f"Made {counted(len(cards), 'invitation')}")
    if sheet:
        terminal.result(f"To print: {sheet}. Anyone who sees it can use the links.")


def _show_one(terminal: Terminal, card: Any) -> None:
    from lanpi.im.invitation import moment, terminal_code

    terminal.raw(terminal_code(card.scanned))
    terminal.result(f"Link         {card.link}")
    if card.other_link:
        terminal.result(f"By address   {card.other_link}")
    terminal.result(f"For an app   {card.uri}")
    revoking = terminal.place.complete(f"lanpi invite revoke {card.identity}")
    terminal.result(f"For one person, until {moment(card.expires)}. To revoke it: {revoking}")


def _document(card: Any) -> dict[str, Any]:
    return {
        "id": card.identity,
        "kind": card.kind,
        "name": card.name,
        "person": card.person,
        "link": card.link,
        "address_link": card.other_link,
        "uri": card.uri,
        "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(card.expires)),
    }


def _whom(each: dict[str, Any]) -> str:
    words: Sequence[str] = [each["person"], each["name"], "new password" if each["kind"] == "reset" else ""]
    return ", ".join(word for word in words if word) or "-"
