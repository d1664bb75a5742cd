"""The one door to the terminal: results on standard output, progress and questions on standard error."""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from lanpi.errors import ExitCode, LanpiError
from lanpi.hints import HERE

if TYPE_CHECKING:
    from rich.live import Live

STYLES = {"ok": "green", "warning": "yellow", "blocker": "bold red", "critical": "bold red", "unknown": "dim"}
MARKS = {"ok": "✓", "warning": "!", "blocker": "✗", "critical": "✗", "unknown": "?"}
REFRESHES_PER_SECOND = 8
YES = ("y", "yes")
COMMAND = "lanpi "


class _Console(Console):
    """rich's, but a closed pipe is an error for lanpi.cli.main to judge, not an exit of rich's own."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


class Terminal:
    """What a command says and asks.

    Args:
        json_output: results are JSON; the human side stays on standard error.
        yes: answer every question with yes.

    Attributes:
        place: where a command that is shown is to run; what shows one passes it through ``place.complete``.
    """

    def __init__(self, *, json_output: bool = False, yes: bool = False) -> None:
        plain = bool(os.environ.get("NO_COLOR"))
        # Into a pipe or file a line stays a line, whatever COLUMNS says.
        self._out = _Console(no_color=plain, highlight=False, soft_wrap=not sys.stdout.isatty())
        self._err = _Console(stderr=True, no_color=plain, highlight=False, soft_wrap=not sys.stderr.isatty())
        self.json_output = json_output
        self._yes = yes
        self._steps: Steps | None = None
        self.place = HERE

    def result(self, what: RenderableType) -> None:
        """Something the user asked for; a string is shown as it is, without markup."""
        shown = Text(what) if isinstance(what, str) else what
        if isinstance(shown, Text):
            _say(self._out, shown)
        else:
            # Lines of its own that hold a command (see `whole`) are not cut off either.
            self._out.print(shown, crop=False)

    def json(self, document: Any) -> None:
        """A result for programs: one JSON document a line, keys in order."""
        self.raw(json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n")

    def raw(self, text: str) -> None:
        """Text on standard output as it is, such as a file's content."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
        """A result in columns; on a terminal cells wrap, elsewhere each row stays one line."""
        if not self._out.is_terminal:
            self.raw((f"{title}\n" if title else "") + _aligned([columns, *rows]))
            return
        table = Table(box=None, header_style="bold", title=title or None, title_justify="left", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*[Text(cell) for cell in row])
        self._out.print(table)

    def note(self, text: str) -> None:
        """Something the user should know, besides the result."""
        _say(self._err, Text(text))

    def warn(self, text: str) -> None:
        """Something the user should look into, besides the result."""
        _say(self._err, Text.assemble(("Warning: ", "yellow"), text))

    def error(self, text: str) -> None:
        """Something that failed while others went on; what ends the command is raised instead."""
        _say(self._err, Text.assemble(("Error: ", "bold red"), text))

    def mark(self, level: str, text: str, hint: str = "") -> None:
        """A line with a mark in the colour of its level (ok, warning, blocker, critical, unknown)."""
        line = Text.assemble((f"  {MARKS[level]} ", STYLES[level]), text)
        if hint:
            line.append(f"\n      {hint}", style="dim")
        _say(self._err, line)

    def steps(self) -> "Steps":
        """Progress: one step after the other, each with its time."""
        self._steps = Steps(self._err)
        return self._steps

    def confirm(self, question: str, *, default: bool = False) -> bool:
        """A yes or no.

        Args:
            question: without the choice of answers.
            default: what the Enter key alone means.

        Raises:
            LanpiError: BAD_INPUT when nobody can be asked and ``--yes`` was not given.
        """
        if self._yes:
            return True
        if not sys.stdin.isatty():
            raise LanpiError(
                f"there is no terminal to ask you: {question}",
                next_step="Pass --yes to answer yes to every question",
                exit_code=ExitCode.BAD_INPUT,
            )
        return self._ask(question, default=default)

    def confirm_or_none(self, question: str) -> bool | None:
        """A yes or no, None when nobody can be asked. ``--yes`` does not count: trust in a key is not a detail."""
        return self._ask(question, default=False) if sys.stdin.isatty() else None

    def ask_secret(self, prompt: str) -> str | None:
        """A password, typed unseen; None when nobody can be asked."""
        if not sys.stdin.isatty():
            return None
        from getpass import getpass

        with self._undrawn():
            return getpass(prompt)

    def ask_text(self, question: str, default: str) -> str | None:
        """A line of text, the default when it stays empty; None when nobody can be asked or ``--yes`` was given."""
        if self._yes or not sys.stdin.isatty():
            return None
        return self._read_line(f"{question} [{default}] ") or default

    def _ask(self, question: str, *, default: bool) -> bool:
        answer = self._read_line(f"{question} [{'Y/n' if default else 'y/N'}] ").lower()
        return answer in YES if answer else default

    def _read_line(self, question: str) -> str:
        with self._undrawn():
            self._err.print(Text(question), end="")
            line = sys.stdin.readline()
        if not line:  # Ctrl-D is no answer
            raise KeyboardInterrupt
        return line.strip()

    def _undrawn(self) -> AbstractContextManager[None]:
        """For as long as somebody types, no spinner draws over it."""
        return self._steps.paused() if self._steps else nullcontext()


def whole(text: Text) -> Text:
    """A line that holds a command: the terminal wraps it, and it can still be copied and pasted as one."""
    if COMMAND in text.plain:
        text.no_wrap, text.overflow = True, "ignore"
    return text


def _say(console: Console, text: Text) -> None:
    """A text; words are wrapped between them, but for a command: a line break of ours would be pasted with it."""
    console.print(text, soft_wrap=True if COMMAND in text.plain else None)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as lines of columns; without a terminal there is no width to keep to, so no cell wraps."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(line.rstrip() + "\n" for line in lines)


class Steps(AbstractContextManager["Steps"]):
    """Steps of a longer work: a spinner with the time on a terminal, plain lines elsewhere.

    What the terminal says meanwhile appears above the spinner; while it asks, the spinner is gone.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._name, self._percent = "", ""
        self._began = 0.0
        self._live: Live | None = None

    def start(self, name: str) -> None:
        """A step begins; one that is still open ends first."""
        self.done()
        self._name, self._percent = name, ""
        self._began = time.monotonic()
        if not self._console.is_terminal:
            self._console.print(Text(f"{name} …"))
            return
        self._draw()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is drawn while the block runs; the time of the step goes on."""
        drawn, self._live = self._live, None
        if drawn is None:
            yield
            return
        drawn.stop()
        try:
            yield
        finally:
            self._draw()

    def _draw(self) -> None:
        from rich.live import Live
        from rich.spinner import Spinner

        spinner = Spinner("dots")

        def picture() -> RenderableType:
            took = f"  {time.monotonic() - self._began:.0f} s"
            spinner.update(text=Text.assemble(self._name, self._percent, (took, "dim")))
            return spinner

        self._live = Live(
            console=self._console,
            get_renderable=picture,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            # Only standard error is drawn on; results go their own way.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def advance(self, percent: int) -> None:
        """This much of the open step is done; shown on a terminal only."""
        self._percent = f"  {percent} %"

    def done(self, detail: str = "") -> None:
        """The step that is open has worked; nothing when none is."""
        self._end("ok", detail)

    def fail(self, detail: str = "") -> None:
        """The step that is open has failed; nothing when none is."""
        self._end("critical", detail)

    def _end(self, level: str, detail: str) -> None:
        if self._live:
            self._live.stop()
            self._live = None
        if not self._name:
            return
        line = Text.assemble((f"{MARKS[level]} ", STYLES[level]), self._name)
        if detail:
            line.append(f": {detail}")
        line.append(f"  {time.monotonic() - self._began:.1f} s", style="dim")
        self._console.print(line)
        self._name = ""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.done()
        else:
            self.fail("not finished")
