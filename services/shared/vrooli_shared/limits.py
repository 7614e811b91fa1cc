"""Limits of what one client may send, and of what all clients together may keep open.

A client is the address that the Ingress controller saw: the last one in ``X-Forwarded-For``, which
the controller itself adds. With IPv6 it is the /64 network of the address, which one site has.
Requests without that header come from inside of the cluster (probes, Prometheus, tunnels) and have
no limit of their own. Who forges the header evades only the limits per client.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
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
# Requests of one client per second, on average and at once. A page sends fewer than ten when it
# opens; many people may share one address.
CLIENT_REQUESTS_PER_S, CLIENT_BURST = 100.0, 500
# The clients whose requests are counted. Beyond it, the one that was idle for longest is forgotten:
# who has that many networks evades the limit per client.
CLIENTS = 10_000
# The longest address with a port: IPv6 with an embedded IPv4 address.
ADDRESS_LENGTH = 53
# The network of one site. Source: RFC 6177, section 2; RFC 4291, section 2.5.4.
IPV6_PREFIX = 64
# Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
RETRY_AFTER = {"Retry-After": "5"}
# The rest of the body is not read.
CLOSE = {"Connection": "close"}


def client_of(scope: Scope) -> str:
    """The client that the Ingress controller saw; empty if there was none."""
    forwarded = Headers(scope=scope).getlist("x-forwarded-for")
    if not forwarded:
        return ""
    text = forwarded[-1].rpartition(",")[2].strip()[:ADDRESS_LENGTH]
    match = _WITH_PORT.fullmatch(text)
    return _client((match["v6"] or match["v4"]) if match else text)


def _client(text: str) -> str:
    """The network that counts as one client; other texts are clients, too."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))


class RequestRate:
    """The rate of requests of each client: a bucket of tokens, which refills steadily."""

    def __init__(
        self,
        per_s: float = CLIENT_REQUESTS_PER_S,
        burst: int = CLIENT_BURST,
        clients: int = CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_s, self._burst, self._clients, self._clock = per_s, burst, clients, clock
        # The tokens of each client and when they were counted, the client of the last request last.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count one request.

        Raises:
            ApiError: The client has sent too many (429).
        """
        if not client:
            return
        now = self._clock()
        tokens, counted_at = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - counted_at) * self._per_s)
        is_allowed = tokens >= 1
        self._buckets[client] = (tokens - is_allowed, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        if not is_allowed:
            wait_s = max(1, math.ceil((1 - tokens) / self._per_s))
            message = f"This address sends more than {self._per_s:g} requests per second."
            raise ApiError(429, "too-many-requests", message, {"Retry-After": str(wait_s)})


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
    """Limits a client's rate and open requests, the bodies in transfer, and the time of each."""

    def __init__(
        self,
        app: ASGIApp,
        rate: RequestRate,
        per_client: int = PER_CLIENT,
        bodies_per_client: int = BODIES_PER_CLIENT,
        bodies: int = BODIES,
        body_s: float = BODY_S,
    ) -> None:
        self._app, self._rate, self._body_s = app, rate, body_s
        self._requests = OpenCount(per_client)
        self._bodies = OpenCount(bodies_per_client, bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            client = client_of(scope)
            self._rate.take(client)
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
