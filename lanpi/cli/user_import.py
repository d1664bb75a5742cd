"""``lanpi user import`` and ``export``: many people at once, as CSV."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli.options import Json, TargetArgument, with_login
from lanpi.cli.people import NoGroup, People, SshLogin, counted, note_no_group, people_of, write_private
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.im.admin import generate_password
from lanpi.im.people_file import Row, read_people, write_table

app = typer.Typer()


@app.command("import")
@with_login
def import_people(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns name, person, group and password.")
    ],
    target: TargetArgument = None,
    invite: Annotated[
        bool, typer.Option("--invite", help="Make invitations instead: each person chooses a password.")
    ] = False,
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="With --invite: how long the links work.")
    ] = "7d",
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--print", metavar="FILE", help="Write a sheet to print (FILE.html), a card for each.", show_default=False
        ),
    ] = None,
    passwords: Annotated[
        Path | None,
        typer.Option(
            "--passwords", metavar="FILE", help="Write the generated passwords to FILE (mode 0600).", show_default=False
        ),
    ] = None,
    all_or_nothing: Annotated[
        bool, typer.Option("--all-or-nothing", help="Change nothing unless every line is right.")
    ] = False,
    no_group: NoGroup = False,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Create many accounts or invitations from a CSV file.

    lanpi reports on each line. The first line names the columns: name, person (a note for you and the sheet), group
    (several are separated by |) and password. Only name is needed, and with --invite not even that. A line that is
    wrong does not stop the others; the command then exits with 1.

    \b
    Examples:
      lanpi user import people.csv pi@raspberrypi.local --invite --print sheet.html
      lanpi user import people.csv pi@raspberrypi.local --passwords passwords.csv
    """
    from lanpi.cli.invite import check_sheet
    from lanpi.im.invitation import seconds_of

    terminal = Terminal(json_output=json_output)
    seconds = seconds_of(expires)
    text = _read(file)
    if sheet and sheet.suffix.lower() == ".png":
        raise LanpiError("a sheet for several people is FILE.html", exit_code=ExitCode.BAD_INPUT)
    check_sheet(sheet, 1)
    with people_of(target, terminal, login) as people:
        rows = read_people(text, people.domain, names_needed=not invite)
        if not invite and not passwords and not sheet and any(not row.password for row in rows if not row.problem):
            raise LanpiError(
                "some lines have no password, and nothing says where to write the generated ones",
                next_step="Pass --passwords FILE, --print FILE.html, or --invite to let people choose",
                exit_code=ExitCode.BAD_INPUT,
            )
        stopped = all_or_nothing and any(row.problem for row in rows)
        good = [] if stopped else [row for row in rows if not row.problem]
        if invite:
            done = _invite(terminal, people, good, seconds, sheet, no_group)
        else:
            done = _register(terminal, people, good, sheet, passwords, all_or_nothing=all_or_nothing, no_group=no_group)
        results = [_result(row, done, stopped=stopped) for row in rows]
    _report(terminal, results)
    if not all(each["done"] for each in results):
        raise typer.Exit(int(ExitCode.FAILED))


@app.command("export")
@with_login
def export_people(
    target: TargetArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write to FILE (mode 0600).", show_default=False),
    ] = None,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Export the accounts and their groups as CSV.

    Passwords are not in it, since the server does not know them.

    \b
    Example:
      lanpi user export pi@raspberrypi.local --output people.csv
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        names = [each["address"].partition("@")[0] for each in people.do("accounts")["accounts"]]
        groups = people.do("groups")["groups"]
        inside = {
            name: [each["group"] for each in groups if f"{name}@{people.domain}" in each["members"]] for name in names
        }
    text = write_table(("name", "group"), ((name, "|".join(inside[name])) for name in names))
    if output:
        write_private(output, text.encode())
        terminal.note(f"Wrote {counted(len(names), 'account')} to {output}")
    elif json_output:
        terminal.json({"accounts": [{"name": name, "groups": inside[name]} for name in names]})
    else:
        terminal.raw(text)


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        raise LanpiError(f"cannot read {file}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
    except UnicodeDecodeError as error:
        raise LanpiError(
            f"{file} is not UTF-8 text", next_step="Save it as CSV (UTF-8)", exit_code=ExitCode.BAD_INPUT
        ) from error


def _invite(
    terminal: Terminal, people: People, rows: Sequence[Row], seconds: int, sheet: Path | None, no_group: bool
) -> dict[int, str]:
    """Line -> "" when an invitation was made; all of them, or none."""
    from lanpi.im import invitation

    if not rows:
        return {}
    wishes = [{"name": row.name, "person": row.person, "groups": row.groups} for row in rows]
    made = people.do("invite", wishes=wishes, seconds=seconds, groups_default=not no_group)
    cards = [
        invitation.card(each, people.domain, made["addresses"], people.host.address) for each in made["invitations"]
    ]
    if sheet:
        write_private(sheet, invitation.sheet(cards, people.domain).encode())
    elif not terminal.json_output:
        terminal.table(("For", "Link"), ((card.title, card.link) for card in cards))
    return {row.line: "" for row in rows}


def _register(
    terminal: Terminal,
    people: People,
    rows: Sequence[Row],
    sheet: Path | None,
    passwords: Path | None,
    *,
    all_or_nothing: bool,
    no_group: bool,
) -> dict[int, str]:
    """Line -> what went wrong, "" when the account was created."""
    from lanpi.im import invitation

    if not rows:
        return {}
    wanted = [
        {"name": row.name, "password": row.password or generate_password(), "groups": list(row.groups)} for row in rows
    ]
    # Before the accounts exist: a file that cannot be written must not leave accounts whose passwords nobody knows.
    if passwords:
        write_private(passwords, b"")
    answer = people.do("register", people=wanted, groups_default=not no_group, all_or_nothing=all_or_nothing)
    made = answer["accounts"]
    if not no_group and not answer["groups"] and not all(row.groups for row in rows):
        note_no_group(terminal)
    new = [
        (f"{each['name']}@{people.domain}", str(each["password"]), row)
        for row, each, outcome in zip(rows, wanted, made, strict=True)
        if outcome["created"]
    ]
    if passwords:
        generated = [(address, password) for address, password, row in new if not row.password]
        write_private(passwords, write_table(("address", "password"), generated).encode())
    if sheet:
        cards = [(address, password) for address, password, _ in new]
        write_private(sheet, invitation.password_sheet(cards, people.domain).encode())
    return {
        row.line: "" if outcome["created"] else outcome["problem"] or "not created, because another line is wrong"
        for row, outcome in zip(rows, made, strict=True)
    }


def _result(row: Row, done: dict[int, str], *, stopped: bool) -> dict[str, Any]:
    problem = row.problem or ("another line is wrong" if stopped else done.get(row.line, ""))
    return {"line": row.line, "name": row.name, "person": row.person, "done": not problem, "problem": problem}


def _report(terminal: Terminal, results: Sequence[dict[str, Any]]) -> None:
    if terminal.json_output:
        terminal.json({"lines": list(results)})
        return
    for each in results:
        if not each["done"]:
            terminal.error(f"line {each['line']}: {each['problem']}")
    good = sum(each["done"] for each in results)
    terminal.result(f"{good} of {counted(len(results), 'line')} done")
