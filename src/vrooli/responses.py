"""An HTTP client that reads responses up to a limit: whoever answers could fill the memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

MIB = 1024 * 1024
# The length of a response at which reading ends, without another limit, MiB.
LIMIT_MIB = 4
# How long a request may take with its response, seconds. The timeouts of httpx are those of each
# read, and a response may arrive byte by byte.
TOTAL_S = 60.0
IDENTITY = "identity"


def read_json(answer: httpx.Response) -> Any:
    """The JSON of a response.

    Raises:
        ValueError: It is not JSON, or is nested too deeply.
    """
    try:
        return answer.json()
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error


class LimitedClient(httpx.AsyncClient):
    """Refuses responses that are too long, or compressed: those could be a thousand times as long.

    Its requests raise ``httpx.DecodingError`` then, and ``httpx.ReadTimeout`` if a response takes
    too long; both are an ``httpx.HTTPError``.
    """

    def __init__(
        self, *, limit_mib: int = LIMIT_MIB, total_s: float = TOTAL_S, **settings: Any
    ) -> None:
        """Create a client.

        Args:
            limit_mib: The length of a response at which reading ends, MiB.
            total_s: How long a request may take with its response, seconds.
            settings: Those of ``httpx.AsyncClient``.
        """
        super().__init__(**settings)
        self.headers["Accept-Encoding"] = IDENTITY
        self._limit_mib, self._total_s = limit_mib, total_s
        self.event_hooks["response"].append(self._limit)

    async def send(self, request: httpx.Request, **settings: Any) -> httpx.Response:
        """Send a request, and read the response unless it is streamed."""
        try:
            async with asyncio.timeout(self._total_s):
                return await super().send(request, **settings)
        except TimeoutError as error:
            message = f"its response takes longer than {self._total_s:g} s"
            raise httpx.ReadTimeout(message, request=request) from error

    async def _limit(self, answer: httpx.Response) -> None:
        """Limit the length of a response that is not read yet, and read it as UTF-8.

        Some of Python's codecs that a response may name take minutes or fail.
        """
        encoding = answer.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", IDENTITY):
            raise httpx.DecodingError("its response is compressed", request=answer.request)
        answer.encoding = "utf-8"
        if isinstance(answer.stream, httpx.AsyncByteStream):
            answer.stream = _LimitedStream(answer.stream, answer.request, self._limit_mib)


class _LimitedStream(httpx.AsyncByteStream):
    def __init__(
        self, stream: httpx.AsyncByteStream, request: httpx.Request, limit_mib: int
    ) -> None:
        self._stream, self._request, self._limit_mib = stream, request, limit_mib

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._stream:
            length += len(chunk)
            if length > self._limit_mib * MIB:
                message = f"its response is longer than {self._limit_mib} MiB"
                raise httpx.DecodingError(message, request=self._request)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
