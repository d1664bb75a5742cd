"""How an install looks: steps while it runs, diffs with --check, and what to do next at the end."""

import difflib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from lanpi import paths
from lanpi.cli.terminal import Terminal
from lanpi.deploy.compare import TASK
from lanpi.deploy.runner import Event
from lanpi.errors import ExitCode, LanpiError
from lanpi.flows.install import Options, Outcome
from lanpi.health.preflight import Finding

LOGS_KEPT = 20


def log_path(target: str | None) -> Path:
    """A new log file for a run; the oldest ones go."""
    folder = paths.operator_state() / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[:-LOGS_KEPT]:
        old.unlink()
    name = "".join(c if c.isalnum() else "-" for c in target or "local")
    path = folder / f"{datetime.now():%Y%m%d-%H%M%S}-{name}.log"
    path.touch(mode=0o600)
    return path


class TerminalReporter(AbstractContextManager["TerminalReporter"]):
    """Steps with their times on a terminal, or one JSON event a line."""

    def __init__(self, terminal: Terminal, *, verbose: bool) -> None:
        self._terminal = terminal
        self._verbose = verbose
        self._steps = terminal.steps()
        self._percent = -1

    def begin(self, step: str) -> None:
        """A step starts."""
        self._percent = -1
        if self._terminal.json_output:
            self._terminal.json({"event": "step", "step": step})
        else:
            self._steps.start(step)

    def advance(self, percent: int) -> None:
        """This much of the step is done."""
        if percent == self._percent:
            return
        self._percent = percent
        if self._terminal.json_output:
            self._terminal.json({"event": "progress", "percent": percent})
        else:
            self._steps.advance(percent)

    def end(self, detail: str = "") -> None:
        """The step is done."""
        if self._terminal.json_output:
            self._terminal.json({"event": "done", "detail": detail})
        else:
            self._steps.done(detail)

    def note(self, text: str) -> None:
        """Something the user should know."""
        text = self._terminal.place.complete(text)
        if self._terminal.json_output:
            self._terminal.json({"event": "note", "text": text})
        else:
            self._terminal.note(f"  {text}")

    def found(self, finding: Finding) -> None:
        """A preflight finding; those that need nothing only with -v."""
        complete = self._terminal.place.complete
        text, fix = complete(finding.text), complete(finding.fix)
        if self._terminal.json_output:
            self._terminal.json(
                {
                    "event": "finding",
                    "id": finding.id,
                    "level": finding.level,
                    "text": text,
                    "next_step": fix,
                }
            )
        elif finding.is_bad or self._verbose:
            self._terminal.mark(finding.level, text, fix)

    def event(self, event: Event) -> None:
        """An event of the playbook run, for -v."""
        if not self._verbose or event.kind == "start":
            return
        if self._terminal.json_output:
            self._terminal.json({"event": "task", "task": event.task, "kind": event.kind, "changed": event.changed})
            return
        for key in ("added", "paths", "done"):
            for item in event.result.get(key, []):
                self._terminal.note(f"    {item}")
        for entry in event.result.get("plan", []):
            self._terminal.note(f"    {entry['name']}: {entry['reason']}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._steps.__exit__(kind, error, trace)


def unified(diff: dict[str, Any]) -> str:
    """One of Ansible's diffs as a unified diff."""
    return "".join(
        difflib.unified_diff(
            str(diff.get("before", "")).splitlines(keepends=True),
            str(diff.get("after", "")).splitlines(keepends=True),
            str(diff.get("before_header", "before")),
            str(diff.get("after_header", "after")),
        )
    )


def diffs(events: tuple[Event, ...]) -> list[str]:
    """Every change of a run as unified diffs."""
    found: list[str] = []
    for event in events:
        given = event.result.get("diff", [])
        for diff in given if isinstance(given, list) else [given]:
            if diff:
                text = unified(diff)
                header = f"--- {diff.get('before_header')}\n+++ {diff.get('after_header')}\n"
                found.append(text or header)
    return found


def compared(events: tuple[Event, ...]) -> dict[str, Any]:
    """The plan of a run: "plan", its entries, and "summary"; empty where none was made."""
    return next((event.result for event in events if event.task == TASK), {})


def say_outcome(terminal: Terminal, outcome: Outcome, options: Options, password_file: Path | None) -> None:
    """The end of an install."""
    complete = terminal.place.complete
    if outcome.password and password_file:
        _write_password(password_file, outcome, complete)
    if terminal.json_output:
        terminal.json(_document(outcome, options, shown=password_file is None))
        return
    if options.check:
        _say_check(terminal, outcome)
        return
    if not outcome.changed and outcome.password is None:
        terminal.result(f"Nothing to change: {outcome.domain} is up to date, and messages are delivered.")
    else:
        terminal.result(f"\n{outcome.domain} is ready, and messages are delivered.\n")
    if outcome.password:
        terminal.result(f"  Administrator   {outcome.admin}")
        shown = f"in {password_file}" if password_file else f"{outcome.password}   (shown only once: write it down)"
        terminal.result(f"  Password        {shown}\n")
        terminal.result("Next steps:")
        terminal.result(complete("  1. Invite each person:                 lanpi invite"))
        terminal.result(complete("     or create an account for them:      lanpi user add NAME"))
        terminal.result(complete("  2. Make each phone trust the Pi:        lanpi ca"))
        terminal.result(
            "  3. Install an app: Conversations or Cheogram (Android), Monal (iPhone), Gajim or Dino (computer)."
        )
        terminal.result(f"     Log in with NAME@{outcome.domain} and the password; the app needs nothing else.")
    if outcome.reboot_needed:
        terminal.result(complete("\nMemory limits take effect after a reboot. Run: lanpi install --reboot"))


def _document(outcome: Outcome, options: Options, *, shown: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "event": "outcome",
        "domain": outcome.domain,
        "admin": outcome.admin,
        "changed": list(outcome.changed),
        "reboot_needed": outcome.reboot_needed,
    }
    if outcome.password and shown:
        document["admin_password"] = outcome.password
    if outcome.proof:
        document["proof"] = {
            "login_seconds": outcome.proof.login_seconds,
            "delivery_seconds": outcome.proof.delivery_seconds,
            "archive_seconds": outcome.proof.archive_seconds,
        }
    document["plan"] = compared(outcome.events).get("plan", [])
    if options.check:
        document["diffs"] = diffs(outcome.events)
    return document


def _say_check(terminal: Terminal, outcome: Outcome) -> None:
    for text in diffs(outcome.events):
        terminal.raw(text if text.endswith("\n") else text + "\n")
    actions = [item for item in outcome.changed if " " in item]
    for action in actions:
        terminal.result(f"would {action}")
    count = len(outcome.changed)
    terminal.result(
        f"{count} {'change' if count == 1 else 'changes'} would be made; nothing was changed."
        if count
        else f"Nothing would change: {compared(outcome.events).get('summary', 'all is as it should be')}."
    )


def _write_password(path: Path, outcome: Outcome, complete: Callable[[str], str]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise LanpiError(
            f"cannot write the password to {path}: {error.strerror}; the account exists",
            next_step=complete(f"Set a new password with: lanpi user passwd {outcome.admin.partition('@')[0]}"),
            exit_code=ExitCode.BAD_INPUT,
        ) from error
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(f"{outcome.password}\n")
