"""Closes connections whose TLS handshake is cancelled.

httpcore closes a connection whose handshake fails, but leaves it open if the handshake is
cancelled: its handler catches `Exception`, and `CancelledError` is none. A command that cancels
requests, as each timeout does, would collect open connections to the API server.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

from httpcore._backends.anyio import AnyIOStream  # its only place


@functools.cache
def close_cancelled() -> None:
    """Make httpcore close such connections, in this process."""
    start_tls = AnyIOStream.start_tls

    @functools.wraps(start_tls)
    async def start_tls_or_close(self: AnyIOStream, *arguments: Any, **settings: Any) -> Any:
        try:
            return await start_tls(self, *arguments, **settings)
        except asyncio.CancelledError:
            await self.aclose()
            raise

    AnyIOStream.start_tls = start_tls_or_close  # type: ignore[method-assign]
