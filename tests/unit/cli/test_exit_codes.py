"""Faults become errors, exit codes and words in one place, and signals end a run as they should."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from vrooli.cli import run
from vrooli.cli.options import OutputFormat
from vrooli.cli.terminal import errors
from vrooli.cli.terminal.console import ConsoleView
from vrooli.errors import (
    BY_PERSON,
    CommandError,
    InterruptError,
    PrerequisiteError,
    UsageError,
    VrooliError,
)
from vrooli.events import Listener
from vrooli.kube import ApiError
from vrooli.workflows.results.base import Result


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (VrooliError("unwell"), 1, "unwell"),
        (CommandError(("ls",), 2, "nothing there"), 1, "`ls` ended with status 2\nnothing there"),
        (UsageError("no such name"), 2, "no such name"),
        (PrerequisiteError("no runc"), 3, "no runc"),
        (ApiError("list Node", 403, "forbidden"), 3, "refused to list Node"),
        (ApiError("list Node", 500, "oh"), 1, "refused to list Node"),
        (OSError(errno.ENOSPC, "No space left", "/var/x"), 3, "The disk is full (/var/x)."),
        (
            PermissionError(errno.EACCES, "Permission denied", "/etc/x"),
            3,
            "Operation failed (/etc/x): Permission denied",
        ),
        (ExceptionGroup("g", [OSError("x"), UsageError("inner")]), 2, "inner"),
        (ExceptionGroup("g", [ExceptionGroup("h", [UsageError("deep")])]), 2, "deep"),
        (ZeroDivisionError("oh"), 1, "Internal error: ZeroDivisionError: oh"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_fault_has_its_exit_code_and_words(fault: Exception, code: int, said: str) -> None:
    error = errors.as_error(fault)
    assert error.exit_code == code
    assert said in error.message


def _execute(work: run.Work[Result], output: OutputFormat, debug: bool = False) -> int:
    try:
        run.execute(work, lambda result, console: console.print("shown"), output, debug)
    except typer.Exit as end:
        return end.exit_code
    return 0


async def _healthy(listener: Listener) -> Result:
    return Result()


async def _unwell(listener: Listener) -> Result:
    return Result(ok=False)


async def _broken(listener: Listener) -> Result:
    raise PrerequisiteError("There is no cheese.", "Buy some.")


@pytest.mark.parametrize("output", OutputFormat)
def test_a_run_that_detected_a_problem_ends_with_1(output: OutputFormat) -> None:
    assert _execute(_healthy, output) == 0
    assert _execute(_unwell, output) == 1


def test_a_person_reads_what_happened_and_what_to_do_and_no_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _execute(_broken, OutputFormat.TEXT) == 3
    reported = capsys.readouterr()
    assert reported.out == ""
    assert reported.err == "There is no cheese.\nBuy some.\n"


async def _leaves_faults_behind(listener: Listener) -> Result:
    """A task whose error nobody awaits, a connection whose end nobody handles, and a warning."""

    async def fails() -> None:
        raise RuntimeError("nobody asks for this")

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        raise RuntimeError("nobody asks for this either")

    asyncio.create_task(fails())  # noqa: RUF006 - that nobody keeps it is the point
    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await reader.read()
        writer.close()
        await writer.wait_closed()
    gc.collect()
    logging.getLogger("httpx_ws").warning("a library warns")
    return Result()


@pytest.mark.parametrize("debug", [False, True])
def test_what_nobody_awaits_is_printed_with_debug_only(debug: bool) -> None:
    """In a process of its own: pytest has handlers of its own for all of it."""
    words = ["-c", _SCRIPT, str(Path(__file__)), str(debug)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "shown\n"), done.stderr
    for printed in (
        "Task exception was never retrieved",
        "Unhandled exception in client_connected_cb",
        "a library warns",
    ):
        assert (printed in done.stderr) is debug
    assert bool(done.stderr) is debug, done.stderr


_SCRIPT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("faults_behind", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
debug = sys.argv[2] == "True"
sys.exit(module._execute(module._leaves_faults_behind, module.OutputFormat.TEXT, debug))
"""


def test_debug_shows_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    _execute(_broken, OutputFormat.TEXT, debug=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_machine_reads_the_same_as_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert _execute(_broken, OutputFormat.JSON) == 3
    line = json.loads(capsys.readouterr().out)
    assert line["type"] == "error"
    assert (line["message"], line["advice"]) == ("There is no cheese.", "Buy some.")
    assert line["exit_code"] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_the_work_clean_up_and_ends_with_130(number: signal.Signals) -> None:
    cleaned = []

    async def work(listener: Listener) -> Result:
        os.kill(os.getpid(), number)
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)
        return Result()

    before = signal.getsignal(number)
    assert _execute(work, OutputFormat.JSON) == 130
    assert cleaned == [True]
    assert signal.getsignal(number) == before


def test_a_signal_shows_the_work_who_sent_it_and_what_was_done_by_then_is_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def work(listener: Listener) -> Result:
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as cancelled:
            assert cancelled.args == (BY_PERSON,)
            raise InterruptError("Half of it was done.", "Go back.") from cancelled
        return Result()

    assert _execute(work, OutputFormat.JSON) == 130
    line = json.loads(capsys.readouterr().out)
    assert line["message"] == "Interrupted by SIGINT. Half of it was done."
    assert line["advice"] == "Go back."


def test_an_error_while_cleaning_up_after_a_signal_is_still_an_interruption() -> None:
    async def work(listener: Listener) -> Result:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise VrooliError("could not tidy up") from None
        return Result()

    assert _execute(work, OutputFormat.JSON) == 130


def test_brackets_in_messages_are_no_markup() -> None:
    out = io.StringIO()
    view = ConsoleView(Console(file=out), Console(file=out))
    view.error(VrooliError("field [bold]x[/bold] of [/tmp]", "see [1]"))
    assert out.getvalue() == "field [bold]x[/bold] of [/tmp]\nsee [1]\n"
