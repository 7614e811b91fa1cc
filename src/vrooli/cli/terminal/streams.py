"""The streams of programs in pods: this terminal, this process's pipes, or a capture."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
from collections.abc import Iterator

from vrooli.errors import VrooliError

CHUNK = 32 * 1024
STDIN, STDOUT, STDERR = 0, 1, 2


class ProcessStreams:
    """The standard streams of this process; a terminal passes every key on to the program."""

    def __init__(self, *, reads_input: bool = True, uses_terminal: bool = True) -> None:
        """Take the standard streams.

        Args:
            reads_input: Whether the program reads the standard input.
            uses_terminal: Whether the program gets a terminal, if this process has one.
        """
        has_terminal = os.isatty(STDIN) and os.isatty(STDOUT)
        self.is_terminal = uses_terminal and has_terminal
        self.has_input = reads_input or self.is_terminal
        self._resized = asyncio.Event()

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Put the terminal into raw mode, and restore it on every end."""
        if not self.is_terminal:
            yield
            return
        import termios
        import tty

        loop = asyncio.get_running_loop()
        mode = termios.tcgetattr(STDIN)
        loop.add_signal_handler(signal.SIGWINCH, self._resized.set)
        try:
            # What was typed before the session began is for its program.
            tty.setraw(STDIN, termios.TCSADRAIN)
            yield
        finally:
            termios.tcsetattr(STDIN, termios.TCSADRAIN, mode)
            loop.remove_signal_handler(signal.SIGWINCH)

    async def read(self) -> bytes:
        """The next input; empty at its end."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        try:
            loop.add_reader(STDIN, readable.set)
        except PermissionError:  # a file, which epoll does not support: it never blocks
            return os.read(STDIN, CHUNK)
        except OSError:  # closed
            return b""
        try:
            await readable.wait()
            return os.read(STDIN, CHUNK)
        except OSError:  # the terminal is gone
            return b""
        finally:
            loop.remove_reader(STDIN)

    def write(self, data: bytes, *, is_error: bool) -> None:
        """Write output of the program completely."""
        target = STDERR if is_error else STDOUT
        while data:
            try:
                data = data[os.write(target, data) :]
            except BlockingIOError:
                select.select([], [target], [])
            except OSError as error:
                raise VrooliError(f"The output can't be written: {error.strerror}.") from error

    def size(self) -> tuple[int, int]:
        """The columns and lines of the terminal."""
        size = os.get_terminal_size(STDOUT)
        return size.columns, size.lines

    async def resized(self) -> None:
        """Wait until the size of the terminal changes."""
        await self._resized.wait()
        self._resized.clear()

    def outputs(self) -> tuple[str | None, str | None]:
        """Nothing: the outputs were written."""
        return None, None


class Capture:
    """Keeps the outputs of a program that has no input."""

    is_terminal = False
    has_input = False

    def __init__(self) -> None:
        self._outputs = {False: bytearray(), True: bytearray()}

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Nothing to prepare."""
        yield

    async def read(self) -> bytes:
        """No input."""
        return b""

    def write(self, data: bytes, *, is_error: bool) -> None:
        """Keep output."""
        self._outputs[is_error] += data

    def size(self) -> tuple[int, int]:
        """The size of no terminal."""
        return 0, 0

    async def resized(self) -> None:
        """Wait: no size changes."""
        await asyncio.Event().wait()

    def outputs(self) -> tuple[str | None, str | None]:
        """Standard output and standard error so far."""
        stdout, stderr = (bytes(data).decode(errors="replace") for data in self._outputs.values())
        return stdout, stderr
