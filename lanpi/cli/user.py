"""``lanpi user``: accounts. Passwords come from a prompt, a file, or are generated; never from an argument."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from lanpi.cli import user_import
from lanpi.cli.common import installed_server
from lanpi.cli.options import Json, TargetArgument, Yes, with_login
from lanpi.cli.people import GroupOption, NoGroup, SshLogin, counted, people_of, wanted_groups, write_private
from lanpi.cli.terminal import Terminal
from lanpi.errors import ExitCode, LanpiError
from lanpi.im.admin import generate_password

app = typer.Typer(no_args_is_help=True, help="Add, list and remove accounts, and change passwords.")
app.add_typer(user_import.app)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The account: anna or anna@home.local.", show_default=False)
]
AccountPasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Read the account's password from FILE; with --generate, write it to FILE (mode 0600).",
        show_default=False,
    ),
]
Generate = Annotated[bool, typer.Option("--generate", help="Generate a password.")]


PASSWORD_MIN = 8


def _password(terminal: Terminal, name: str, file: Path | None, generate: bool) -> tuple[str, bool]:
    """The password and whether it must be shown."""
    if generate:
        password = generate_password()
        if file:
            write_private(file, f"{password}\n".encode())
        return password, file is None
    if file:
        try:
            password = file.read_text().rstrip("\n")
        except OSError as error:
            raise LanpiError(f"cannot read {file}: {error.strerror}", exit_code=ExitCode.BAD_INPUT) from error
    else:
        typed = terminal.ask_secret(f"New password for {name} (leave empty to generate one): ")
        if not typed:
            return generate_password(), True
        if terminal.ask_secret("Repeat the password: ") != typed:
            raise LanpiError("the passwords do not match", exit_code=ExitCode.BAD_INPUT)
        password = typed
    if len(password) < PASSWORD_MIN:
        raise LanpiError(
            f"the password is shorter than {PASSWORD_MIN} characters",
            next_step="Choose a longer one, or pass --generate",
            exit_code=ExitCode.BAD_INPUT,
        )
    return password, False


@app.command()
@with_login
def add(
    name: NameArgument,
    target: TargetArgument = None,
    password_file: AccountPasswordFile = None,
    generate: Generate = False,
    group: GroupOption = None,
    no_group: NoGroup = False,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Create an account.

    Without --group, it joins the group everyone, if there is one.

    \b
    Examples:
      lanpi user add anna pi@raspberrypi.local
      lanpi user add ben pi@raspberrypi.local --generate --group family
    """
    from lanpi.im.names import new_name

    terminal = Terminal(json_output=json_output)
    groups = wanted_groups(group, no_group)
    with people_of(target, terminal, login) as people:
        local = new_name(name, people.domain)
        password, show_it = _password(terminal, local, password_file, generate)
        wanted = {"name": local, "password": password, "groups": groups}
        [made] = people.do("register", people=[wanted], groups_default=not no_group, all_or_nothing=False)["accounts"]
        address = f"{local}@{people.domain}"
        if not made["created"]:
            exists = "exists" in made["problem"]
            raise LanpiError(
                f"the account {address} exists already" if exists else made["problem"],
                host=people.host.name,
                next_step=f"To set a new password: lanpi user passwd {local}" if exists else "",
                exit_code=ExitCode.BAD_INPUT if exists else ExitCode.FAILED,
            )
    _say(terminal, address, password if show_it else None, "Created")


@app.command()
@with_login
def passwd(
    name: NameArgument,
    target: TargetArgument = None,
    password_file: AccountPasswordFile = None,
    generate: Generate = False,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Change an account's password.

    \b
    Example:
      lanpi user passwd anna pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        local = local_part(name, people.domain)
        password, show_it = _password(terminal, local, password_file, generate)
        installed_server(people.host).set_password(local, password)
    _say(terminal, f"{local}@{people.domain}", password if show_it else None, "Changed the password of")


@app.command()
@with_login
def reset(
    name: NameArgument,
    target: TargetArgument = None,
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="How long the link works: 30m, 12h or 2d, up to 30 days.")
    ] = "1d",
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--print", metavar="FILE", help="Write a sheet (FILE.html) or a picture (FILE.png).", show_default=False
        ),
    ] = None,
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Make a link with which a person chooses a new password.

    \b
    Example:
      lanpi user reset anna pi@raspberrypi.local
    """
    from lanpi.cli.invite import check_sheet, show_cards
    from lanpi.im.invitation import seconds_of
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    seconds = seconds_of(expires)
    check_sheet(sheet, 1)
    with people_of(target, terminal, login) as people:
        made = people.do("reset", name=local_part(name, people.domain), seconds=seconds)
        show_cards(terminal, people, made, sheet)


@app.command("list")
@with_login
def list_accounts(target: TargetArgument = None, *, login: SshLogin, json_output: Json = False) -> None:
    """List the accounts, and show who is online.

    For the others it shows when they were last seen, and for all of them the space that their files take.

    \b
    Example:
      lanpi user list pi@raspberrypi.local
    """
    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("accounts")["accounts"]
    if json_output:
        terminal.json({"accounts": found})
        return
    terminal.table(
        ("Address", "Sessions", "Last seen", "Files"),
        (
            (
                each["address"] + (" (disabled)" if each["disabled"] else ""),
                str(each["sessions"]) if each["sessions"] else "-",
                _seen(each["last_seen"], bool(each["sessions"])),
                megabytes(each["files_bytes"]),
            )
            for each in found
        ),
    )


@app.command()
@with_login
def show(name: NameArgument, target: TargetArgument = None, *, login: SshLogin, json_output: Json = False) -> None:
    """Show an account with its groups, sessions, files and quota.

    \b
    Example:
      lanpi user show anna pi@raspberrypi.local
    """
    from lanpi.config.load import effective, parse
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        from lanpi import paths

        settings = parse(people.host.get(paths.PI_CONFIG, root=True).decode(), paths.PI_CONFIG)
        quota = effective(settings, {}).config.im.upload_quota_mb * 1_048_576
        found = people.do("account", name=local_part(name, people.domain), quota_bytes=quota)
    if json_output:
        terminal.json(found)
        return
    marks = [word for word in ("administrator", "disabled") if found[word]]
    terminal.result(found["address"] + (f" ({', '.join(marks)})" if marks else ""))
    terminal.result(f"  Groups     {', '.join(found['groups']) or '-'}")
    terminal.result(f"  Last seen  {_seen(found['last_seen'], bool(found['sessions']))}")
    terminal.result(f"  Messages   {found['messages']} in the archive")
    terminal.result(f"  Files      {megabytes(found['files_bytes'])} of {megabytes(found['quota_bytes'])}")
    for each in found["sessions"]:
        terminal.result(f"  Session    {each['resource']} from {each['ip']}, {_span(each['since_seconds'])}")


@app.command()
@with_login
def sessions(name: NameArgument, target: TargetArgument = None, *, login: SshLogin, json_output: Json = False) -> None:
    """List a person's sessions: one for each app that is logged in.

    \b
    Example:
      lanpi user sessions anna pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("sessions", name=local_part(name, people.domain))
    if json_output:
        terminal.json(found)
    elif not found["sessions"]:
        terminal.result("There are no sessions.")
    else:
        terminal.table(
            ("Session", "From", "Connected", "Status"),
            (
                (each["resource"], each["ip"], _span(each["since_seconds"]), each["status"])
                for each in found["sessions"]
            ),
        )


@app.command()
@with_login
def kick(
    name: NameArgument,
    target: TargetArgument = None,
    session: Annotated[
        str, typer.Option("--session", metavar="SESSION", help="End only this session.", show_default=False)
    ] = "",
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """End a person's sessions.

    Their apps can log in again: to keep them out, use `lanpi user disable`.

    \b
    Example:
      lanpi user kick anna pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("kick", name=local_part(name, people.domain), resource=session)
    if json_output:
        terminal.json(found)
    else:
        terminal.result(f"Ended {counted(found['ended'], 'session')}")


@app.command()
@with_login
def disable(
    name: NameArgument,
    target: TargetArgument = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="What the person is told.")
    ] = "The administrator disabled this account",
    *,
    login: SshLogin,
    json_output: Json = False,
) -> None:
    """Keep a person out, with everything of theirs kept.

    `lanpi user enable` lets them in again, with the same password.

    \b
    Example:
      lanpi user disable ben pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("disable", name=local_part(name, people.domain), reason=reason)
    _say(terminal, found["address"], None, "Disabled")


@app.command()
@with_login
def enable(name: NameArgument, target: TargetArgument = None, *, login: SshLogin, json_output: Json = False) -> None:
    """Let a disabled person in again.

    \b
    Example:
      lanpi user enable ben pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output)
    with people_of(target, terminal, login) as people:
        found = people.do("enable", name=local_part(name, people.domain))
    _say(terminal, found["address"], None, "Enabled")


@app.command()
@with_login
def remove(
    name: NameArgument,
    target: TargetArgument = None,
    force: Annotated[bool, typer.Option("--force", help="Also remove the only administrator.")] = False,
    *,
    login: SshLogin,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Remove an account with everything that belongs to it.

    Messages, contacts, files, sessions and memberships in groups and rooms are gone permanently.

    \b
    Example:
      lanpi user remove ben pi@raspberrypi.local
    """
    from lanpi.im.names import local_part

    terminal = Terminal(json_output=json_output, yes=yes)
    with people_of(target, terminal, login) as people:
        local = local_part(name, people.domain)
        question = f"Permanently remove {local}@{people.domain} with all its messages, contacts and files?"
        if not terminal.confirm(question):
            raise typer.Exit(int(ExitCode.BAD_INPUT))
        gone = people.do("unregister", name=local, force=force)
    if json_output:
        terminal.json(gone)
        return
    terminal.result(f"Removed {gone['address']}")
    terminal.result(
        f"  with {counted(gone['messages'], 'archived message')}, {megabytes(gone['files_bytes'])} of files, "
        f"{counted(gone['sessions'], 'session')} and its contacts"
    )
    if gone["groups"]:
        terminal.result(f"  from {counted(len(gone['groups']), 'group')}: {', '.join(gone['groups'])}")
    if gone["rooms"]:
        terminal.result(f"  from {counted(len(gone['rooms']), 'room')}: {', '.join(gone['rooms'])}")
    if gone["links"]:
        terminal.result(f"  {counted(gone['links'], 'password link')} no longer works")


def megabytes(number: int) -> str:
    """Bytes for people: files of accounts are counted in MB, as their quota is."""
    return f"{number / 1_048_576:.1f} MB"


def _seen(epoch_seconds: int | None, online: bool) -> str:
    if online:
        return "now"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(epoch_seconds)) if epoch_seconds else "never"


def _span(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _say(terminal: Terminal, address: str, password: str | None, done: str) -> None:
    document: dict[str, Any] = {"address": address} | ({"password": password} if password else {})
    if terminal.json_output:
        terminal.json(document)
        return
    terminal.result(f"{done} {address}")
    if password:
        terminal.result(f"Password: {password}   (shown only once)")
