"""Prints progress and results as text: live on a terminal, otherwise as plain lines.

Progress and errors are written to standard error, results to standard output.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar
from zlib import crc32

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from vrooli import inert
from vrooli.cli.terminal.tables import duration
from vrooli.errors import InterruptError, VrooliError
from vrooli.events import (
    Event,
    LogLine,
    ObjectProgressed,
    ObjectState,
    Outcome,
    StepEnded,
    StepProgressed,
    StepStarted,
)
from vrooli.workflows.results.base import Result, StepsResult
from vrooli.workflows.results.texts import made_inert

R = TypeVar("R", bound=Result)
# Minimum interval between plain progress lines of a step, seconds.
PLAIN_LINE_EVERY_S = 5.0
# Interval after which a plain line is repeated while a step reports the same, seconds.
PLAIN_REPEAT_S = 25.0
# Width of tables in files and pipes, characters.
WIDTH_OF_FILES = 200
MARKS = {
    Outcome.UNCHANGED: ("✓", "dim green"),
    Outcome.CHANGED: ("✓", "green"),
    Outcome.FAILED: ("✗", "red"),
    Outcome.CANCELLED: ("-", "yellow"),
}

# The colours of the components of log lines.
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_magenta")

OBJECT_MARKS = {
    ObjectState.WAITING: ("…", "yellow"),
    ObjectState.READY: ("✓", "green"),
    ObjectState.FAILED: ("✗", "red"),
}


def progress_text(event: StepProgressed) -> str:
    """Format the progress of a step, with the remaining time if it is known."""
    if event.remaining_s is None:
        return event.detail
    return f"{event.detail} · about {duration(event.remaining_s)} left"


class ConsoleView:
    """Prints events while they happen, and the result at the end."""

    def __init__(self, progress: Console | None = None, results: Console | None = None) -> None:
        self._progress = progress or Console(
            file=sys.stderr, highlight=False, markup=False, emoji=False
        )
        self._results = results or _results_console()
        terminal = self._progress.is_terminal
        self._steps = _LiveSteps(self._progress) if terminal else _PlainSteps(self._progress)

    def listen(self, event: Event) -> None:
        """Take an event; its texts are written by others and made inert."""
        event = made_inert(event)
        if isinstance(event, LogLine):
            # Log lines are results of the command.
            if isinstance(self._steps, _LiveSteps):
                self._steps.end_waits()
            style = COLOURS[crc32(event.component.encode()) % len(COLOURS)]
            source = Text(event.source, style=style if event.component else "")
            self._results.print(source, Text(event.text), sep="  ", soft_wrap=True)
        else:
            self._steps.listen(event)

    def close(self) -> None:
        """Restore the terminal."""
        self._steps.close()

    def result(self, result: R, show: Callable[[R, Console], None]) -> None:
        """Print the result with the function of its command."""
        result = made_inert(result)
        if isinstance(result, StepsResult) and _is_one_log(self._progress, self._results):
            # The log has a line of each step already.
            result = result.model_copy(update={"steps": ()})
        show(result, self._results)

    def error(self, error: VrooliError) -> None:
        """Print the message and the advice of an error."""
        style = "yellow" if isinstance(error, InterruptError) else "bold red"
        text = Text.assemble((_indented(error.message), style), overflow="fold")
        self._progress.print(text, soft_wrap=True)
        if error.advice:
            self._progress.print(Text(_indented(error.advice)), soft_wrap=True)


def _indented(text: str) -> str:
    """Indent all lines after the first: a line of others never begins like one of ours."""
    first, *more = inert.lines(text).split("\n")
    return "\n".join([first, *(f"  {line}" if line[:1].strip() else line for line in more)])


def _is_one_log(progress: Console, results: Console) -> bool:
    """Whether progress and results go to the same file or pipe, and not to a terminal."""
    if progress.is_terminal:
        return False
    try:
        return os.path.sameopenfile(progress.file.fileno(), results.file.fileno())
    except (OSError, ValueError):  # a stream that is closed or in memory
        return False


def _results_console() -> Console:
    width = None if sys.stdout.isatty() else WIDTH_OF_FILES
    return Console(
        file=sys.stdout,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        width=width,
    )


class _LiveSteps:
    """Prints finished steps, with a live list of running steps below.

    What is waited for before a step, such as another run, is in the list until a step starts.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, _Running] = {}
        self._waits: dict[str, _Running] = {}
        self._live = Live(console=console, transient=True, get_renderable=self._render)

    def listen(self, event: Event) -> None:
        match event:
            case StepStarted(step, title):
                self._waits.clear()
                self._running[step] = _Running(title)
                self._live.start()
            case StepProgressed(step) if step in self._running:
                self._running[step].detail = progress_text(event)
            case StepProgressed(step):
                self._waits.setdefault(step, _Running(step)).detail = progress_text(event)
                self._live.start()
            case ObjectProgressed(step, name) if step in self._running:
                self._running[step].objects[name] = event
            case StepEnded(step):
                self._running.pop(step, None)
                self._console.print(_ended(event))
                if not self._running:
                    self.close()

    def end_waits(self) -> None:
        """Remove the list if it shows no step: the lines of a log follow."""
        if not self._running:
            self.close()

    def close(self) -> None:
        self._waits.clear()
        self._live.stop()

    def _render(self) -> RenderableType:
        table = _live_table()
        table.add_column(width=1)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for running in [*self._waits.values(), *self._running.values()]:
            table.add_row(
                running.spinner, running.title, running.elapsed(), Text(running.detail, "dim")
            )
        return Group(table, *(row for running in self._running.values() for row in running.rows()))


def _live_table() -> Table:
    """A table as wide as the terminal; its last column gets what the others leave.

    Without the width of the terminal, Rich shortens all columns in proportion.
    """
    return Table.grid(padding=(0, 1), expand=True)


class _Running:
    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.objects: dict[str, ObjectProgressed] = {}
        self.spinner = Spinner("dots")
        self._began = time.monotonic()

    def elapsed(self) -> str:
        return duration(time.monotonic() - self._began)

    def rows(self) -> list[RenderableType]:
        """Return a table of the objects of the step, if any."""
        if not self.objects:
            return []
        table = _live_table()
        table.add_column(width=3, justify="right")
        table.add_column(no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for item in list(self.objects.values()):
            table.add_row(Text(*OBJECT_MARKS[item.state]), item.object, Text(item.detail, "dim"))
        return [table]


class _PlainSteps:
    """Prints the start and end of each step and some progress lines, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._last: dict[str, tuple[float, str]] = {}
        self._waiting: set[tuple[str, str]] = set()

    def listen(self, event: Event) -> None:
        match event:
            case StepStarted(step, title):
                self._line(f"{title} …", step)
            case StepProgressed(step, detail):
                message_at, message = self._last.get(step, (0.0, ""))
                age_s = time.monotonic() - message_at
                if age_s >= (PLAIN_LINE_EVERY_S if detail != message else PLAIN_REPEAT_S):
                    self._line(f"{step}: {progress_text(event)}", step, detail)
            case ObjectProgressed(step, name, state, detail):
                # Objects that were ready from the start are not printed.
                if state is not ObjectState.READY:
                    self._waiting.add((step, name))
                if (step, name) in self._waiting:
                    self._line(f"{OBJECT_MARKS[state][0]} {name}: {detail}")
            case StepEnded():
                self._console.print(_ended(event), soft_wrap=True)

    def close(self) -> None:
        """Do nothing: there is nothing to clean up."""

    def _line(self, text: str, step: str = "", message: str = "") -> None:
        now = time.monotonic()
        self._last[step] = (now, message)
        self._console.print(Text(f"[{now - self._began:6.1f} s] {text}"), soft_wrap=True)


def _ended(event: StepEnded) -> Text:
    mark, style = MARKS[event.outcome]
    # One line for each step: the complete error is printed at the end of the run.
    is_changed = event.outcome is Outcome.CHANGED
    default = "" if is_changed else event.outcome.value
    detail = event.detail.partition(inert.LINE_END)[0] or default
    return Text.assemble(
        (f"{mark} ", style),
        f"{event.title}  {'changed  ' if is_changed else ''}",
        (duration(event.elapsed_s), "cyan"),
        (f"  {detail}" if detail else "", "dim"),
    )
