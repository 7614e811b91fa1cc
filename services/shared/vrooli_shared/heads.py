"""Limits of the head of a request: its bytes, the number of its lines, and control characters.

h11 parses a head of thousands of lines in tens of milliseconds, in which no other request is
handled, and before anything counts the request. Its own limit applies only to heads that arrive in
several pieces. A line of blanks and one character that it rejects takes it quadratic time.
"""

from __future__ import annotations

import re
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# The largest head, bytes, and its lines: browsers send fewer than 30, and proxies add some.
MAX_HEAD, MAX_LINES = 16 * 1024, 100
_END = re.compile(rb"\n\r?\n")
# The characters that h11 rejects in a header (field_vchar in h11/_abnf.py).
_REJECTED = re.compile(rb"[\x00\v\f]|\r(?!\n|\Z)")


class LimitedConnection(h11.Connection):
    """A connection of a server that parses no head above the limits, or with such characters."""

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD)

    def next_event(self) -> Any:
        """The next event.

        Raises:
            RemoteProtocolError: A head is above the limits, or is no head.
        """
        if self.their_state is h11.IDLE:
            data = self.trailing_data[0]
            length = head_length(data)
            if is_long(data, length):
                raise h11.RemoteProtocolError("The head of the request is too long", 431)
            if _REJECTED.search(data, 0, length):
                raise h11.RemoteProtocolError("The head of the request has control characters")
        return super().next_event()


class LimitedProtocol(H11Protocol):
    """uvicorn's protocol on such a connection."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.conn = LimitedConnection()


def head_length(data: bytes) -> int:
    """The length of the head at the beginning of the data, as far as it has arrived, bytes."""
    end = _END.search(data, 0, MAX_HEAD + 1)
    return end.start() if end else len(data)


def is_long(data: bytes, length: int) -> bool:
    """Whether the head of this length at the beginning of the data is above the limits."""
    return length > MAX_HEAD or data.count(b"\n", 0, length) >= MAX_LINES
