"""Limits of what one client, and all clients together, may keep open.

A client is the address that the Ingress controller saw: the last one in ``X-Forwarded-For``, which
the controller itself adds. Requests without that header come from inside of the cluster (probes,
tunnels) and have no limit of their own. Who forges the header evades only the limit per client.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vrooli_shared.web import ApiError, refuse

# Open requests of one client, streams included: many people may share one address.
PER_CLIENT = 200
# Bodies that are being received, of one client and of all: each may take 5 MiB.
BODIES_PER_CLIENT, BODIES = 8, 64
# How long a body may take, seconds: 5 MiB at 1 Mbit/s take 42.
BODY_S = 60.0
# The longest address: IPv6 with an embedded IPv4 address.
ADDRESS_LENGTH = 45
RETRY_AFTER = {"Retry-After": "5"}
# The rest of the body is not read.
CLOSE = {"Connection": "close"}


def client_of(scope: Scope) -> str:
    """The address of the client that the Ingress controller saw; empty if there was none."""
    forwarded = Headers(scope=scope).getlist("x-forwarded-for")
    return forwarded[-1].rpartition(",")[2].strip()[:ADDRESS_LENGTH] if forwarded else ""


class OpenCount:
    """The number of things that are open, by client and in total."""

    def __init__(self, per_client: int, total: int | None = None) -> None:
        self._per_client, self._total = per_client, total
        self._open: Counter[str] = Counter()

    @contextmanager
    def opened(self, client: str, name: str) -> Iterator[None]:
        """Count one for the length of the block.

        Args:
            client: The client's address; without one only the total is limited.
            name: What is counted, in the plural, for the message.

        Raises:
            ApiError: The client (429) or all clients together (503) have too many.
        """
        if client and self._open[client] >= self._per_client:
            message = f"This address has {self._per_client} open {name}. Close some, or wait."
            raise ApiError(429, "too-many-of-client", message, RETRY_AFTER)
        if self._total is not None and self._open.total() >= self._total:
            message = f"The server has {self._total} open {name}. Try again later."
            raise ApiError(503, "too-many", message, RETRY_AFTER)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


class RequestLimits:
    """Limits the open requests of a client, the bodies in transfer, and the time of each."""

    def __init__(
        self,
        app: ASGIApp,
        per_client: int = PER_CLIENT,
        bodies_per_client: int = BODIES_PER_CLIENT,
        bodies: int = BODIES,
        body_s: float = BODY_S,
    ) -> None:
        self._app, self._body_s = app, body_s
        self._requests = OpenCount(per_client)
        self._bodies = OpenCount(bodies_per_client, bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            client = client_of(scope)
            with self._requests.opened(client, "requests"):
                if _has_body(scope):
                    with self._bodies.opened(client, "uploads"):
                        await self._app(scope, self._timed(receive), send)
                else:
                    await self._app(scope, receive, send)
        except ApiError as error:
            await refuse(error, scope, receive, send)

    def _timed(self, receive: Receive) -> Receive:
        """A receiver whose body must end within the limit; afterwards it waits for any time."""
        deadline = asyncio.get_running_loop().time() + self._body_s
        is_complete = False

        async def timed() -> Message:
            nonlocal is_complete
            if is_complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                reason = f"The body did not arrive within {self._body_s:g} s."
                raise ApiError(408, "body-too-slow", reason, CLOSE) from None
            is_complete = not message.get("more_body", False)
            return message

        return timed


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
