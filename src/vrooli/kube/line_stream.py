"""The lines of a response that goes on: of a log, or of a watch."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

LINE_FEED = b"\n"


async def iterate_lines(answer: httpx.Response) -> AsyncIterator[str]:
    """Each line as soon as it has ended, without its end.

    Only a line feed ends a line. httpx also ends one at characters such as U+0085 and U+2028, which
    a JSON text or a record of a log may contain: the rest would be taken for another record.
    """
    pending: list[bytes] = []
    async for chunk in answer.aiter_bytes():
        first, *others = chunk.split(LINE_FEED)
        pending.append(first)
        for part in others:
            yield _decode(pending)
            pending = [part]
    if any(pending):
        yield _decode(pending)


def _decode(parts: list[bytes]) -> str:
    return b"".join(parts).decode(errors="replace").removesuffix("\r")
