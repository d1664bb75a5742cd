"""``lanpi doctor``."""

from typing import TYPE_CHECKING, Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import MARKS, STYLES, Terminal
from lanpi.errors import ExitCode, LanpiError

if TYPE_CHECKING:
    from lanpi.deploy.session import Session
    from lanpi.doctor.result import Finding
    from lanpi.flows.install import Outcome

app = typer.Typer()


@app.command()
@with_login
def doctor(
    target: TargetArgument = None,
    only: Annotated[
        str, typer.Option("--only", metavar="ID[,ID]", help="Run only these checks.", show_default=False)
    ] = "",
    list_checks: Annotated[bool, typer.Option("--list", help="List all checks and exit.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what lanpi can fix, after asking you.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show how files differ from what lanpi installs.")] = False,
    no_root: Annotated[
        bool, typer.Option("--no-root", help="Check only what an ordinary user can read; do not use sudo.")
    ] = False,
    *,
    login: Login,
    yes: Yes = False,
    json_output: Json = False,
) -> None:
    """Find out what is wrong with a Pi, why, and how to fix it.

    Without --fix, lanpi changes nothing.

    The exit code is 0 if all is well, 1 for a warning, 2 for a critical finding, and 3 if a check failed to run.

    \b
    Examples:
      lanpi doctor pi@raspberrypi.local
      lanpi doctor pi@raspberrypi.local --fix
      lanpi doctor --list
    """
    from lanpi.doctor.checks import CHECKS, choose, examine, exit_status
    from lanpi.doctor.document import document
    from lanpi.doctor.read import read_evidence

    terminal = Terminal(json_output=json_output, yes=yes)
    checks = choose([name for name in only.split(",") if name])
    if list_checks:
        if json_output:
            terminal.json([{"id": check.id, "title": check.title, "looks_at": check.looks_at} for check in CHECKS])
        else:
            terminal.table(("ID", "WORST", "LOOKS AT"), [(c.id, c.worst, c.looks_at) for c in CHECKS])
        return
    with open_target(target, terminal, login) as host:
        root = not no_root and host.can_be_root
        if (fix or diff) and not root:
            raise LanpiError(
                f"--fix and --diff need root on {host.name}",
                host=host.name,
                next_step="Pass the sudo password with --sudo-password-file, or leave out --fix and --diff",
                exit_code=ExitCode.REFUSED,
            )
        findings = examine(read_evidence(host, root=root), checks)
        if fix and _mend(host, terminal, findings):
            findings = examine(read_evidence(host, root=root), checks)
        if diff:
            _diff(host, terminal)
        name = host.name
    if json_output:
        terminal.json(document(name, findings, terminal.place.complete))
    else:
        _show(terminal, findings)
    raise typer.Exit(exit_status(findings))


def _show(terminal: Terminal, findings: "tuple[Finding, ...]") -> None:
    from rich.text import Text

    from lanpi.doctor.result import NO_ROOT

    styles = STYLES | {"error": STYLES["critical"]}
    marks = MARKS | {"error": MARKS["critical"]}
    bad = [finding for finding in findings if finding.result.state in ("critical", "error", "warning")]
    for finding in bad:
        result = finding.result
        line = Text.assemble((f"{marks[result.state]} ", styles[result.state]), f"{finding.check.id}: {result.cause}")
        for shown in result.evidence:
            line.append("".join(f"\n    | {part}" for part in shown.splitlines()), style="dim")
        if result.fix:
            line.append(f"\n    fix: {terminal.place.complete(result.fix)}")
        if result.action:
            line.append(terminal.place.complete("\n    `lanpi doctor --fix` can do this"), style="dim")
        terminal.result(line)
    unknown = [finding.result.cause for finding in findings if finding.result.state == "skipped"]
    closed = unknown.count(NO_ROOT)
    counts = [
        f"{len(findings) - len(bad) - len(unknown)} checks are fine",
        f"{len(unknown) - closed} do not apply to this machine",
    ]
    if closed:
        counts.append(f"{closed} {NO_ROOT}")
    terminal.result(f"{len(bad)} findings, {', '.join(counts)}.")


def _mend(host: "Session", terminal: Terminal, findings: "tuple[Finding, ...]") -> bool:
    """Ask for each possible fix and carry it out; whether anything was done."""
    from lanpi.cli.install_report import TerminalReporter
    from lanpi.flows.fix import mend, plan, say

    def converge() -> None:
        _install(host, check=False)

    done = False
    for action, target in plan(findings):
        if not terminal.confirm(f"{say(action, target).capitalize()}?"):
            continue
        done = True
        try:
            with TerminalReporter(terminal, verbose=False) as report:
                mend(host, action, target, converge, report)
        except LanpiError as error:
            # The next fix may be the one that helps; what is still wrong shows when everything is checked again.
            terminal.error(str(error))
        else:
            terminal.note(f"done: {say(action, target)}")
    return done


def _diff(host: "Session", terminal: Terminal) -> None:
    from lanpi.cli.install_report import diffs

    for text in diffs(_install(host, check=True).events):
        terminal.note(text)


def _install(host: "Session", *, check: bool) -> "Outcome":
    from lanpi.cli.install_report import TerminalReporter
    from lanpi.config.load import effective, parse
    from lanpi.config.model import Config
    from lanpi.flows.install import Options, install

    def configure(text: str | None) -> Config:
        return effective(parse(text, "/etc/lanpi/lanpi.yml on the Pi") if text else {}, {}, []).config

    options = Options(check=check)
    with TerminalReporter(Terminal(yes=True), verbose=False) as report:
        return install(host, configure, options, report)
