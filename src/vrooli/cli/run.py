"""Runs the workflow of a command: listener, signals, result and exit code."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

import typer

from vrooli import inert
from vrooli.cli.options import OutputFormat
from vrooli.cli.terminal import errors
from vrooli.errors import InterruptError, VrooliError
from vrooli.events import Event, Listener

if TYPE_CHECKING:
    import signal

    from rich.console import Console

    from vrooli.workflows.results.base import Result

R = TypeVar("R", bound="Result")
Work = Callable[[Listener], Awaitable[R]]
Show = Callable[[R, "Console"], None]


class View(Protocol):
    """Output of a run: text or JSON lines."""

    def listen(self, event: Event) -> None:
        """Handle an event."""

    def close(self) -> None:
        """Restore the terminal after the last event."""

    def result(self, result: R, show: Callable[[R, Console], None]) -> None:
        """Output the result."""

    def error(self, error: VrooliError) -> None:
        """Output an error."""


def execute(work: Work[R], show: Show[R], output: OutputFormat, debug: bool) -> None:
    """Run the workflow of a command and output its result or error.

    Args:
        work: Starts the workflow with a listener for its events.
        show: Prints the result as text.
        output: The output format.
        debug: Print the traceback of an error.

    Raises:
        typer.Exit: The exit code is not 0.
    """
    import asyncio

    from vrooli.cli.terminal import logging

    view = _view(output)
    try:
        with logging.configured(debug), contextlib.closing(view):
            result = asyncio.run(_interruptible(work, view.listen))
    # The outermost frame: tracebacks are printed only with --debug.
    except Exception as fault:  # noqa: BLE001
        error = errors.as_error(fault)
        if debug:
            _trace(fault)
        view.error(error)
        raise typer.Exit(error.exit_code) from None
    view.result(result, show)
    if not result.ok:
        raise typer.Exit(result.exit_code)


def _view(output: OutputFormat) -> View:
    # Imported on demand, to keep the start of a command and its help fast.
    if output is OutputFormat.JSON:
        from vrooli.cli.terminal.jsonlines import JsonLines

        return JsonLines(sys.stdout)
    from vrooli.cli.terminal.console import ConsoleView

    return ConsoleView()


async def _interruptible(work: Work[R], listener: Listener) -> R:
    from vrooli.cli.terminal import logging

    logging.report_unawaited()
    with _cancelled_by_signals() as received:
        try:
            return await work(listener)
        except BaseException as fault:
            if not received:
                raise
            by = f"Interrupted by {received[0].name}."
            if isinstance(fault, InterruptError):  # its message contains what was done
                raise InterruptError(f"{by} {fault.message}", fault.advice) from fault
            again = "Run the same command again. It continues where it stopped."
            raise InterruptError(by, again) from fault


@contextlib.contextmanager
def _cancelled_by_signals() -> Iterator[list[signal.Signals]]:
    """Cancel the current task on the first signal; the second signal ends the process."""
    import asyncio
    import signal

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - called from a coroutine
    received: list[signal.Signals] = []
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def restore() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    def cancel(number: signal.Signals) -> None:
        received.append(number)
        restore()
        task.cancel(number.name)

    for number in signals:
        loop.add_signal_handler(number, cancel, number)
    try:
        yield received
    finally:
        restore()


def _trace(fault: BaseException) -> None:
    import traceback

    sys.stderr.write(inert.lines("".join(traceback.format_exception(fault))))
