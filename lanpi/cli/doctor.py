"""``lanpi doctor``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from lanpi.cli.options import Json, Login, TargetArgument, Yes, open_target, with_login
from lanpi.cli.terminal import MARKS, STYLES, Terminal
from lanpi.errors import ExitCode, LanpiError

if TYPE_CHECKING:
    from lanpi.deploy.session import Session
    from lanpi.flows.install import Outcome
    from lanpi.health.doctor import Diagnosis
    from lanpi.health.evidence import Evidence

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
    let_in: Annotated[
        str,
        typer.Option(
            "--let-in", metavar="ADDRESS", help="Let an address in again that is kept out.", show_default=False
        ),
    ] = "",
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
    from lanpi.health.doctor import CHECKS, choose, examine, exit_status
    from lanpi.health.doctor_document import document
    from lanpi.health.read import read_evidence

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
        if (fix or diff or let_in) and not root:
            raise LanpiError(
                f"--fix, --let-in and --diff need root on {host.name}",
                host=host.name,
                next_step="Pass the sudo password with --sudo-password-file, or leave these options out",
                exit_code=ExitCode.REFUSED,
            )

        def look() -> "tuple[Diagnosis, ...]":
            return examine(read_evidence(host, root=root), checks)

        if let_in:
            _let_in(host, terminal, read_evidence(host, root=root), let_in)
        diagnoses = look()
        if fix:
            # First what was found; then what can be done about it, one question each.
            if not json_output:
                _show(terminal, diagnoses)
            if _fix(host, terminal, diagnoses, look):
                diagnoses = look()
                terminal.note("After the fixes:")
            elif not json_output:
                raise typer.Exit(exit_status(diagnoses))
        if diff:
            _diff(host, terminal)
        name = host.name
    if json_output:
        terminal.json(document(name, diagnoses, terminal.place.complete))
    else:
        _show(terminal, diagnoses)
    raise typer.Exit(exit_status(diagnoses))


def _show(terminal: Terminal, diagnoses: "tuple[Diagnosis, ...]") -> None:
    from rich.text import Text

    from lanpi.health.finding import NO_ROOT

    styles = STYLES | {"error": STYLES["critical"]}
    marks = MARKS | {"error": MARKS["critical"]}
    bad = [diagnosis for diagnosis in diagnoses if diagnosis.finding.is_bad]
    for diagnosis in bad:
        found = diagnosis.finding
        line = Text.assemble((f"{marks[found.level]} ", styles[found.level]), f"{found.id}: {found.cause}")
        for shown in found.evidence:
            line.append("".join(f"\n    | {part}" for part in shown.splitlines()), style="dim")
        if found.fix:
            line.append(f"\n    fix: {terminal.place.complete(found.fix)}")
        if diagnosis.steps:
            line.append(terminal.place.complete("\n    `lanpi doctor --fix` can do this"), style="dim")
        terminal.result(line)
    unknown = [diagnosis.finding.text for diagnosis in diagnoses if diagnosis.finding.level == "unknown"]
    closed = unknown.count(NO_ROOT)
    counts = [
        f"{len(diagnoses) - len(bad) - len(unknown)} checks are fine",
        f"{len(unknown) - closed} do not apply to this machine",
    ]
    if closed:
        counts.append(f"{closed} {NO_ROOT}")
    terminal.result(f"{len(bad)} findings, {', '.join(counts)}.")


def _fix(
    host: "Session",
    terminal: Terminal,
    diagnoses: "tuple[Diagnosis, ...]",
    look: "Callable[[], tuple[Diagnosis, ...]]",
) -> bool:
    """Say what can be done, then ask for one step after the other, looking again after each; whether any was taken."""
    from lanpi.cli.install_report import TerminalReporter
    from lanpi.flows.fix import Step, next_step, plan, take

    def converge() -> None:
        _install(host, check=False)

    planned = plan(diagnoses)
    if not planned:
        terminal.note("There is nothing that lanpi can fix by itself.")
        return False
    terminal.note("lanpi can:")
    for step in planned:
        terminal.note(f"  - {step.says}")
    offered: list[Step] = []
    taken = False
    while step_now := next_step(diagnoses, offered):
        offered.append(step_now)
        if not terminal.confirm(f"{step_now.says[0].upper()}{step_now.says[1:]}?"):
            continue
        taken = True
        try:
            with TerminalReporter(terminal, verbose=False) as report:
                take(host, step_now, converge, report)
        except LanpiError as error:
            # The next step may be the one that helps; what is still wrong shows when everything is checked again.
            terminal.error(str(error))
        else:
            terminal.note(f"done: {step_now.says}")
        # A restart that this step has made needless is not offered any more.
        diagnoses = look()
    if taken:
        _check(host, terminal)
    return taken


def _check(host: "Session", terminal: Terminal) -> None:
    """A check now, so that what failed before the fixes is not what status goes on about."""
    from lanpi.cli.install_report import TerminalReporter
    from lanpi.deploy.check import check_now

    with TerminalReporter(Terminal(yes=True), verbose=False) as report:
        check_now(host, report)


def _let_in(host: "Session", terminal: Terminal, evidence: "Evidence", address: str) -> None:
    from lanpi.cli.install_report import TerminalReporter
    from lanpi.flows.fix import steps_for, take

    for step in steps_for(evidence.readings.limited, address):
        with TerminalReporter(terminal, verbose=False) as report:
            take(host, step, lambda: None, report)
        terminal.note(f"done: {step.says}")


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
