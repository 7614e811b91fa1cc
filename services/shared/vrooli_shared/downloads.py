"""Limits of large responses: how many are in transfer, and how long each may take.

The server keeps what a client has not read yet. So a large body is sent in pieces, each when the
client has read the ones before, and few clients at once may have such a body in transfer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from vrooli_shared.counts import OpenCount
from vrooli_shared.web import ApiError, refuse

log = logging.getLogger(__name__)

# The size of a piece, and of a body that does not count as large, bytes: what uvicorn keeps of a
# response that is not read (its HIGH_WATER_LIMIT).
PIECE = 64 * 1024
# How long a request waits for its turn, seconds: a page may show more pictures than a client may
# have in transfer.
TURN_S = 30.0
# What is counted, for messages; and the key of a request's response in its scope.
NAME, KEY = "downloads", "vrooli.download"


class Downloads:
    """Limits the large responses of one client, and of all."""

    def __init__(self, per_client: int, total: int, limit_s: float, turn_s: float = TURN_S) -> None:
        self._count, self._limit_s, self._turn_s = OpenCount(per_client, total), limit_s, turn_s

    @asynccontextmanager
    async def limited(
        self, client: str, scope: Scope, receive: Receive, send: Send
    ) -> AsyncIterator[Send]:
        """A sender of one response; above the limits it sends an error instead, or stops."""
        start: Message | None = None
        has_ended = has_turn = False

        async def take_turn() -> None:
            nonlocal has_turn
            await turns.enter_async_context(self._count.waited(client, NAME, self._turn_s))
            has_turn = True

        async def limited(message: Message) -> None:
            nonlocal start, has_ended
            if has_ended:
                return
            if message["type"] == "http.response.start":
                start = message  # the first piece of the body decides whether it is sent
                return
            is_large = len(message.get("body", b"")) > PIECE
            is_counted = is_large and not has_turn
            try:
                with self._count.opened(client, NAME) if is_counted else nullcontext():
                    if start is not None:
                        await send(start)
                        start = None
                    async with asyncio.timeout(self._limit_s if is_large else None):
                        await _send_pieces(message, send)
            except ApiError as error:
                has_ended = True
                await refuse(error, scope, receive, send)
            except TimeoutError:
                has_ended = True  # uvicorn closes the connection of an incomplete response
                log.info("a response was not read within %g s", self._limit_s)

        scope[KEY] = take_turn
        async with AsyncExitStack() as turns:
            yield limited


async def take_turn(request: Request) -> None:
    """Wait until the client may have another large response, before that is loaded.

    The turn ends when the response has been sent.

    Raises:
        ApiError: There was no turn in time.
    """
    if KEY in request.scope:
        await request.scope[KEY]()


async def _send_pieces(message: Message, send: Send) -> None:
    body = message.get("body", b"")
    if message["type"] != "http.response.body" or len(body) <= PIECE:
        await send(message)
        return
    for begin in range(0, len(body), PIECE):
        is_last = begin + PIECE >= len(body)
        more = message.get("more_body", False) if is_last else True
        await send({**message, "body": body[begin : begin + PIECE], "more_body": more})
