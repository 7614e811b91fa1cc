"""The Go modules in a program, which Go's linker writes into it.

Source of the format: the package debug/buildinfo of Go, as of 1.18: a header of 32 bytes, then the
version of Go and the list of modules, each with its length before it.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

from vrooli.images import records

# Changes if this module reads programs in another way.
READER = "1"
MAGIC = b"\xff Go buildinf:"
HEADER_BYTES, ALIGNMENT = 32, 16
FLAGS_OFFSET, INLINE = 15, 0x2
# The marks before and after the list of modules, bytes each.
FRAME_BYTES = 16
# The version of a module that was built from a folder: it has none.
UNVERSIONED = "(devel)"


def read(program: Path) -> tuple[tuple[str, str], ...]:
    """The name and version of each module, sorted; ``stdlib`` is Go's standard library.

    Empty for a program that is not written in Go, or was built by a Go before 1.18.

    Raises:
        ValueError: Its list of modules is damaged.
    """
    with program.open("rb") as file:
        if not program.stat().st_size:
            return ()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return tuple(sorted(set(_modules(content))))
            except IndexError as error:
                raise ValueError(f"{program} has a damaged list of modules") from error


def record(image_id: str, programs: Iterable[Path]) -> None:
    """Record the modules of the programs that an image contains, unless they are recorded.

    Raises:
        ValueError: A list of modules is damaged.
    """
    if records.read_contents(records.MODULES, image_id, READER) is None:
        modules = {module for program in programs for module in read(program)}
        records.save_contents(records.MODULES, image_id, READER, sorted(modules))


def recorded(image_id: str) -> tuple[tuple[str, str], ...] | None:
    """The recorded modules of an image; None if there is no record."""
    modules = records.read_contents(records.MODULES, image_id, READER)
    return None if modules is None else tuple((name, version) for name, version in modules)


def _modules(content: mmap.mmap) -> Iterator[tuple[str, str]]:
    start = _find_header(content)
    if start is None or not content[start + FLAGS_OFFSET] & INLINE:
        return
    version, end = _text(content, start + HEADER_BYTES)
    framed, _ = _text(content, end)
    yield "stdlib", version.decode().removeprefix("go").partition(" ")[0]
    previous: tuple[str, str] | None = None
    for line in framed[FRAME_BYTES:-FRAME_BYTES].decode().splitlines():
        kind, *words = line.split("\t")
        if kind == "=>" and len(words) > 1:  # the module that was built in place of the previous
            # A folder is a copy of it with replaced packages.
            previous = previous if words[0].startswith(".") else (words[0], words[1])
            continue
        if previous is not None and previous[1] != UNVERSIONED:
            yield previous
        previous = (words[0], words[1]) if kind in ("mod", "dep") and len(words) > 1 else None
    if previous is not None and previous[1] != UNVERSIONED:
        yield previous


def _find_header(content: mmap.mmap) -> int | None:
    start = content.find(MAGIC)
    while start >= 0 and start % ALIGNMENT:
        start = content.find(MAGIC, start + 1)
    return start if start >= 0 else None


def _text(content: mmap.mmap, start: int) -> tuple[bytes, int]:
    """The text at a position and the end of it; its length is in groups of seven bits."""
    length = shift = 0
    while True:
        byte = content[start]
        start += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004 - the last group has no continuation bit
            return content[start : start + length], start + length
