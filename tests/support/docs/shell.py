"""A shell as a person has it who tries the specification's commands."""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.docs.specification_commands import Printed, Way
from vrooli import process

LIMIT_S = 240.0
# How long a command that runs for ever may take to show what it must.
SHOWS_S = 120.0
PLACEHOLDER = re.compile(r"<[a-z][a-z./-]*>")


@dataclass(frozen=True)
class Shell:
    """Where commands are typed.

    Attributes:
        folder: The folder that they are typed in.
        environment: What is exported there.
        placeholders: What the specification's placeholders stand for.
        limit_s: How long a command may take, seconds.
    """

    folder: Path
    environment: Mapping[str, str]
    placeholders: Mapping[str, str]
    limit_s: float = LIMIT_S

    def filled(self, command: Printed) -> str:
        """A command with its placeholders filled in."""
        text = command.text
        for name, value in {**self.placeholders, **dict(command.fill)}.items():
            text = text.replace(name, value)
        assert not PLACEHOLDER.search(text), text
        return "\n".join(filter(None, (command.before, text)))

    async def run(self, command: Printed) -> tuple[int, str]:
        """Run a command its way: its exit status, 0 if it was ended, and what it printed."""
        match command.way:
            case Way.ONCE:
                return await self._once(command)
            case Way.TERMINAL:
                return await self._on_a_terminal(command)
            case Way.UNTIL_SEEN | Way.FORWARD:
                return await self._run_until_matched(command)

    async def _once(self, command: Printed) -> tuple[int, str]:
        answer = await self._start(self._bash(command))
        wrote = (self.folder / command.wrote).read_text() if command.wrote else ""
        return answer.status, answer.log + wrote

    async def _on_a_terminal(self, command: Printed) -> tuple[int, str]:
        """``script`` is the terminal; what is typed must leave."""
        # Without a size, programs ask the terminal for the place of its cursor.
        words = f"stty cols 100 rows 40; {self.filled(command)}"
        started = await asyncio.create_subprocess_exec(
            *("script", "--quiet", "--return", "--command", words, "/dev/null"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            cwd=self.folder,
            env={**os.environ, **self.environment},
        )
        assert started.stdin
        assert started.stdout
        output = b""
        try:
            async with asyncio.timeout(self.limit_s):
                while command.prompt.encode() not in output:
                    read = await started.stdout.read(4096)
                    assert read, output
                    output += read
                started.stdin.write(command.typed.encode())
                output += await started.stdout.read()
                return await started.wait(), output.decode(errors="replace")
        except TimeoutError:
            raise AssertionError(output.decode(errors="replace")) from None
        finally:
            if started.returncode is None:
                started.kill()

    async def _start(
        self,
        words: list[str],
        stdin: str | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> process.Completed:
        return await process.run(
            words,
            env=self.environment,
            cwd=self.folder,
            stdin=stdin,
            timeout_s=self.limit_s,
            check=False,
            merged=True,
            on_line=on_line,
        )

    async def _run_until_matched(self, command: Printed) -> tuple[int, str]:
        """End a command that runs for ever, once it has shown what it must.

        One that ends by itself has failed, whatever its status.
        """
        expected = (r"^Forwarding from",) if command.way is Way.FORWARD else command.shows
        lines: list[str] = []
        observed = asyncio.Event()

        def record(line: str) -> None:
            lines.append(line)
            if shows("\n".join(lines), expected):
                observed.set()

        running = asyncio.create_task(self._start(self._bash(command), on_line=record))
        waiting = asyncio.create_task(observed.wait())
        try:
            both = (running, waiting)
            await asyncio.wait(both, timeout=SHOWS_S, return_when=asyncio.FIRST_COMPLETED)
            if command.way is Way.FORWARD and observed.is_set():
                lines.append(await _request(lines, command.ask))
            return int(running.done()), "\n".join(lines)
        finally:
            running.cancel()
            waiting.cancel()
            await asyncio.gather(running, waiting, return_exceptions=True)

    def _bash(self, command: Printed) -> list[str]:
        return ["bash", "-c", self.filled(command)]


async def _request(lines: list[str], path: str) -> str:
    """What a forwarded port answers."""
    port = re.search(r"^Forwarding from 127\.0\.0\.1:(\d+)", "\n".join(lines), re.MULTILINE)
    assert port is not None
    async with httpx.AsyncClient(timeout=30) as client:
        return (await client.get(f"http://127.0.0.1:{port[1]}{path}")).text


def shows(output: str, patterns: tuple[str, ...]) -> bool:
    """Whether output has each of some patterns."""
    return all(re.search(pattern, output, re.MULTILINE) for pattern in patterns)
