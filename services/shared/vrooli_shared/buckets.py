"""Rates of clients: a bucket of tokens for each, which refills steadily."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from vrooli_shared.web import ApiError

# The clients whose tokens are counted. Beyond it, the one that was idle for longest is forgotten:
# who has that many networks evades the limit per client.
CLIENTS = 10_000


@dataclass(frozen=True)
class Rate:
    """What one client may send: on average per second, and at once."""

    per_s: float
    burst: int


class Buckets:
    """The tokens that each client has left."""

    def __init__(
        self,
        rate: Rate,
        unit: str,
        clients: int = CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with full buckets.

        Args:
            rate: The size of a bucket, and how fast it refills.
            unit: What a token stands for, in the plural, for the message.
            clients: The number of clients whose tokens are counted.
            clock: The seconds since any moment.
        """
        self._rate, self._unit, self._clients, self._clock = rate, unit, clients, clock
        # The tokens of each client and when they were counted, the last client at the end.
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, amount: int = 1) -> None:
        """Take tokens, or none if there are too few.

        Args:
            client: The client's address; without one there is no limit.
            amount: The number of tokens.

        Raises:
            ApiError: The client has sent too much (429).
        """
        if not client:
            return
        now, per_s = self._clock(), self._rate.per_s
        tokens, counted_at = self._tokens.pop(client, (float(self._rate.burst), now))
        tokens = min(self._rate.burst, tokens + (now - counted_at) * per_s)
        is_allowed = tokens >= amount
        self._tokens[client] = (tokens - amount * is_allowed, now)
        if len(self._tokens) > self._clients:
            self._tokens.popitem(last=False)
        if not is_allowed:
            wait_s = max(1, math.ceil((amount - tokens) / per_s))
            message = f"This address sends more than {per_s:g} {self._unit} per second."
            raise ApiError(429, "too-many-requests", message, {"Retry-After": str(wait_s)})
