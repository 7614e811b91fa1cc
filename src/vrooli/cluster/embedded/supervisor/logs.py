"""The logs of the components: rotated by the supervisor, read by commands."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

# A component's log and its predecessor take at most twice this.
LIMIT_BYTES = 16 * 1024 * 1024
FOLLOW_S = 0.2
TAIL_BYTES_PER_LINE = 1024


def predecessor(log: Path) -> Path:
    """The path of a log's older part."""
    return log.with_name(f"{log.name}.1")


def rotate(log: Path, limit: int = LIMIT_BYTES) -> bool:
    """Move the log's content to the older file once it is too long; returns whether it was.

    The writer keeps its descriptor, opened for appending, so the file is copied and emptied.
    Lines written between the two are lost.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return False
    shutil.copyfile(log, predecessor(log))
    with log.open("r+b") as file:
        file.truncate(0)
    return True


def last_line(log: Path) -> str:
    """The log's last line that is not blank; empty if there is none."""
    lines = tail(log, 20)
    return next((line for line in reversed(lines) if line.strip()), "")


def tail(log: Path, count: int) -> list[str]:
    """The last lines of a log, from its older part too if necessary."""
    lines: list[str] = []
    for part in (log, predecessor(log)):
        if part.exists() and len(lines) < count:
            lines = _tail(part, count - len(lines)) + lines
    return lines


def _tail(path: Path, count: int) -> list[str]:
    """Read from the end, doubling the size each time, until there are enough lines."""
    size, span = path.stat().st_size, count * TAIL_BYTES_PER_LINE
    while True:
        with path.open("rb") as file:
            file.seek(max(0, size - span))
            lines = file.read().decode(errors="replace").splitlines()
        if len(lines) > count or span >= size:
            return lines[-count:] if count else []
        span *= 2


async def follow(log: Path) -> AsyncIterator[str]:
    """Follow a log without end: each new line as it is written, also after a rotation."""
    position = log.stat().st_size if log.exists() else 0
    rest = ""
    while True:
        await asyncio.sleep(FOLLOW_S)
        size = log.stat().st_size if log.exists() else 0
        if size < position:
            position = 0
        if size == position:
            continue
        with log.open("rb") as file:
            file.seek(position)
            chunk = file.read()
        position += len(chunk)
        *lines, rest = (rest + chunk.decode(errors="replace")).split("\n")
        for line in lines:
            yield line
