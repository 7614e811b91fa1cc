"""The lines of a response: only a line feed ends one, whatever else a text contains."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from vrooli.kube.line_stream import iterate_lines

pytestmark = pytest.mark.anyio

FORGED = '{"level": "error", "message": "all is lost"}'


class Chunks(httpx.AsyncByteStream):
    """A body in pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def _lines(*pieces: bytes) -> list[str]:
    answer = httpx.Response(200, stream=Chunks(pieces))
    return [line async for line in iterate_lines(answer)]


@pytest.mark.parametrize(
    "end", ["\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"]
)
async def test_no_other_character_ends_a_line(end: str) -> None:
    line = f"GET /{end}{FORGED}"
    assert await _lines(f"{line}\nnext\n".encode()) == [line, "next"]


async def test_lines_are_put_together_from_pieces_of_any_size() -> None:
    body = "first\n\nä line\r\nlast, without an end".encode()
    expected = ["first", "", "ä line", "last, without an end"]
    assert await _lines(body) == expected
    assert await _lines(*(body[index : index + 1] for index in range(len(body)))) == expected
    assert await _lines() == []


async def test_bytes_that_are_no_text_do_not_end_a_stream() -> None:
    assert await _lines(b"\xff\xfe\nnext\n") == ["\ufffd\ufffd", "next"]
