"""Runs other programs: from an argv list, with a timeout and cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vrooli.errors import CommandError, PrerequisiteError

# Time between SIGTERM and SIGKILL, seconds.
GRACE_S = 5.0
# Maximum length of a line of output, bytes.
LINE_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Completed:
    """A finished program; ``output`` is its standard output, ``log`` its standard error."""

    output: str
    log: str
    status: int


async def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    timeout_s: float = 60.0,
    check: bool = True,
    on_line: Callable[[str], None] | None = None,
    merged: bool = False,
) -> Completed:
    """Run a program to its end.

    Args:
        argv: The program and its arguments; pass secrets by ``stdin``, never here.
        env: Added to this process's environment.
        cwd: Where it runs.
        stdin: Its standard input; empty by default.
        timeout_s: The timeout, after which it and its children are terminated, seconds.
        check: Raise if its exit status is not 0.
        on_line: Called with each line of standard error as it comes.
        merged: Merge its standard output into standard error, in the order of both.

    Raises:
        CommandError: It failed or timed out.
        PrerequisiteError: There is no such program.
    """
    command = tuple(str(word) for word in argv)
    environment = {**os.environ, **(env or {})}
    process = await _start(command, environment, cwd, has_stdin=stdin is not None, merged=merged)
    log: list[str] = []
    try:
        output = await _wait(process, _communicate(process, stdin, log, on_line), timeout_s)
    except TimeoutError:
        raise CommandError(command, None, "".join(log)) from None
    status = process.returncode or 0
    if check and status != 0:
        raise CommandError(command, status, output + "".join(log))
    return Completed(output, "".join(log), status)


async def _wait(
    process: asyncio.subprocess.Process, output: Awaitable[str], timeout_s: float
) -> str:
    """Wait for the output of a program; terminate the program on an error and on a timeout."""
    try:
        async with asyncio.timeout(timeout_s):
            return await output
    except BaseException:
        await _end(process)
        raise


async def _start(
    command: Sequence[str],
    env: Mapping[str, str],
    cwd: Path | None,
    *,
    has_stdin: bool,
    merged: bool,
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if has_stdin else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if merged else asyncio.subprocess.PIPE,
            env=env,
            cwd=cwd,
            start_new_session=True,
            limit=LINE_LIMIT,
        )
    except FileNotFoundError as error:
        raise PrerequisiteError(
            f"The program {command[0]!r} was not found.",
            "Run `vrooli setup`, which installs missing programs.",
        ) from error


async def run_attached(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 60.0,
    cleanup_s: float = GRACE_S,
    to_log: bool = False,
) -> int:
    """Run a program that shares our standard output and standard error.

    Args:
        argv: The program and its arguments, without secrets.
        env: Added to this process's environment.
        cwd: Where it runs.
        timeout_s: The timeout, after which it and its children are terminated, seconds.
        cleanup_s: The time for its cleanup after an interrupt, seconds.
        to_log: Send its standard output to standard error, too.

    Returns:
        Its exit status.

    Raises:
        CommandError: It timed out.
    """
    process = await asyncio.create_subprocess_exec(
        *(str(word) for word in argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr.fileno() if to_log else None,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    except TimeoutError:
        raise CommandError(tuple(str(word) for word in argv), None, "") from None
    finally:
        await _end(process, cleanup_s)


async def follow(
    argv: Sequence[str | Path],
    on_line: Callable[[str], None],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    grace_s: float = GRACE_S,
    on_start: Callable[[asyncio.subprocess.Process], None] = lambda _: None,
) -> int:
    """Run a program until it ends, and pass on each line of its output; nothing of it is kept.

    Args:
        argv: The program and its arguments, without secrets.
        on_line: Called with each line of both outputs.
        env: Its complete environment.
        cwd: Where it runs.
        grace_s: The time between SIGTERM and SIGKILL when this is cancelled, seconds.
        on_start: Called with the program's process.

    Returns:
        Its exit status; negative for a signal.

    Raises:
        PrerequisiteError: There is no such program.
    """
    command = tuple(str(word) for word in argv)
    process = await _start(command, env, cwd, has_stdin=False, merged=True)
    assert process.stdout is not None  # noqa: S101 - requested as a pipe above
    try:
        on_start(process)
        async for line in process.stdout:
            on_line(line.decode(errors="replace").rstrip("\n"))
        return await process.wait()
    finally:
        await _end(process, grace_s=grace_s)


async def _communicate(
    process: asyncio.subprocess.Process,
    stdin: str | None,
    log: list[str],
    on_line: Callable[[str], None] | None,
) -> str:
    async def write() -> None:
        if process.stdin is not None and stdin is not None:
            # A program may exit without reading all of it; its status says if that is an error.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                process.stdin.write(stdin.encode())
                await process.stdin.drain()
            process.stdin.close()

    async def follow(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            text = line.decode(errors="replace")
            log.append(text)
            if on_line is not None:
                on_line(text.rstrip("\n"))

    assert process.stdout is not None  # noqa: S101 - asked for as a pipe above
    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        # With merged output there is only one stream.
        group.create_task(follow(process.stderr or process.stdout))
        output = group.create_task(process.stdout.read()) if process.stderr else None
    await process.wait()
    return output.result().decode(errors="replace") if output else ""


async def _end(
    process: asyncio.subprocess.Process, cleanup_s: float = 0.0, grace_s: float = GRACE_S
) -> None:
    """Terminate the program and its children: first by signals that allow cleanup, then SIGKILL."""
    stages = [(signal.SIGTERM, grace_s)]
    if cleanup_s:
        stages.insert(0, (signal.SIGINT, cleanup_s))
    for number, timeout_s in stages:
        if process.returncode is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await process.wait()
    # The rest of its session too: its children may have outlived it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # Read its pipes to the end so that they are closed; a daemon may keep them open longer.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            await process.communicate()
