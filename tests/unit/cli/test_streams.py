"""The terminal of a session in a pod: its mode, its size and its input."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from vrooli.cli.terminal import streams
from vrooli.cli.terminal.streams import Capture, ProcessStreams
from vrooli.errors import VrooliError

pytestmark = pytest.mark.anyio


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """Both ends of a terminal that is the standard input and output."""
    outer, inner = pty.openpty()
    monkeypatch.setattr(streams, "STDIN", inner)
    monkeypatch.setattr(streams, "STDOUT", inner)
    yield outer, inner
    os.close(outer)
    os.close(inner)


def is_raw(terminal: int) -> bool:
    return not termios.tcgetattr(terminal)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)


async def test_the_terminal_is_raw_only_while_connected(terminal: tuple[int, int]) -> None:
    session = ProcessStreams()
    assert session.is_terminal
    before = termios.tcgetattr(terminal[1])
    with pytest.raises(RuntimeError), session.connected():
        assert is_raw(terminal[1])
        raise RuntimeError("the connection broke off")
    assert termios.tcgetattr(terminal[1]) == before


async def test_keys_that_control_a_terminal_are_input(terminal: tuple[int, int]) -> None:
    session = ProcessStreams()
    with session.connected():
        os.write(terminal[0], b"\x03\x04\x1a")
        assert await session.read() == b"\x03\x04\x1a"


async def test_what_was_typed_before_is_input(terminal: tuple[int, int]) -> None:
    os.write(terminal[0], b"SELECT 1;\n")
    session = ProcessStreams()
    with session.connected():
        assert await session.read() == b"SELECT 1;\n"


async def test_a_new_size_is_reported(terminal: tuple[int, int]) -> None:
    session = ProcessStreams()
    with session.connected():
        fcntl.ioctl(terminal[0], termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        os.kill(os.getpid(), signal.SIGWINCH)
        await session.resized()
        assert session.size() == (100, 40)


async def test_a_file_is_input_without_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "input").write_bytes(b"SELECT 1;")
    with (tmp_path / "input").open() as file:
        monkeypatch.setattr(streams, "STDIN", file.fileno())
        session = ProcessStreams()
        assert not session.is_terminal
        assert [await session.read(), await session.read()] == [b"SELECT 1;", b""]


async def test_a_closed_output_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setattr(streams, "STDOUT", writing)
    with pytest.raises(VrooliError, match="Broken pipe"):
        ProcessStreams(uses_terminal=False).write(b"x", is_error=False)
    os.close(writing)


async def test_a_capture_keeps_both_outputs() -> None:
    capture = Capture()
    capture.write(b"one", is_error=False)
    capture.write(b"two", is_error=True)
    assert capture.outputs() == ("one", "two")
