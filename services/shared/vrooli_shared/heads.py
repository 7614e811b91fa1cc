"""Limits of the head of a request: its bytes, and the number of its lines.

h11 parses a head of thousands of lines in tens of milliseconds, in which no other request is
handled, and before anything counts the request. Its own limit applies only to heads that arrive in
several pieces.
"""

from __future__ import annotations

import re
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# The largest head, bytes, and its lines: browsers send fewer than 30, and proxies add some.
MAX_HEAD, MAX_LINES = 16 * 1024, 100
_END = re.compile(rb"\n\r?\n")


class LimitedConnection(h11.Connection):
    """A connection of a server that parses no head above the limits."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD)

    def next_event(self) -> Any:
        """The next event.

        Raises:
            RemoteProtocolError: A head is above the limits.
        """
        if self.their_state is h11.IDLE and is_long(self.trailing_data[0]):
            raise h11.RemoteProtocolError("The head of the request is too long", 431)
        return super().next_event()


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol on such a connection."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.conn = LimitedConnection()


def is_long(data: bytes) -> bool:
    """Whether the head at the beginning of the data is above the limits."""
    end = _END.search(data, 0, MAX_HEAD + 1)
    length = end.start() if end else len(data)
    return length > MAX_HEAD or data.count(b"\n", 0, length) >= MAX_LINES
