"""Limits of what one client may send, and of what all clients together may keep open.

A client is the address that the Ingress controller saw: the last one in ``X-Forwarded-For``, which
the controller itself adds. With IPv6 it is the /64 network of the address, which one site has.
Requests without that header come from inside of the cluster (probes, Prometheus, tunnels) and have
no limit of their own. Who forges the header evades only the limits per client.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vrooli_shared.buckets import Buckets, Rate
from vrooli_shared.counts import OpenCount
from vrooli_shared.downloads import TURN_S, Downloads
from vrooli_shared.storage import ROW_BYTES
from vrooli_shared.web import ApiError, refuse

# Open requests of one client, streams included: many people may share one address.
PER_CLIENT = 200
# Bodies in transfer, of one client and of all, in each direction: each may take 5 MiB.
BODIES_PER_CLIENT, BODIES = 8, 64
# How long a body may take, seconds: 5 MiB at 1 Mbit/s take 42.
BODY_S = 60.0
# What one client may send. A page sends fewer than ten requests when it opens; many people may
# share one address. One client needs more than two weeks to fill half of 50 GiB.
CLIENT_REQUESTS = Rate(per_s=100.0, burst=500)
CLIENT_POSTS = Rate(per_s=5.0, burst=100)
CLIENT_POST_BYTES = Rate(per_s=16 * 1024.0, burst=128 * 1024**2)
# What a post takes in the database besides its body, bytes: rows, and the answer of its key.
POST_BYTES = 3 * ROW_BYTES
# The longest query that is read, bytes: parsing takes a microsecond per byte. A page needs 20.
MAX_QUERY = 1024
# Methods that write nothing.
READS = frozenset({"GET", "HEAD", "OPTIONS"})
# The longest address with a port: IPv6 with an embedded IPv4 address.
ADDRESS_LENGTH = 53
# The network of one site. Source: RFC 6177, section 2; RFC 4291, section 2.5.4.
IPV6_PREFIX = 64
# Some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](?::\d+)?|(?P<v4>[\d.]+):\d+")
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


@dataclass(frozen=True)
class ClientRates:
    """What one client may send: requests, those that write, and the bytes of their bodies."""

    requests: Rate = CLIENT_REQUESTS
    posts: Rate = CLIENT_POSTS
    post_bytes: Rate = CLIENT_POST_BYTES


class RequestLimits:
    """Limits a client's rates and open requests, the bodies in transfer, and the time of each."""

    def __init__(
        self,
        app: ASGIApp,
        rates: ClientRates,
        per_client: int = PER_CLIENT,
        bodies_per_client: int = BODIES_PER_CLIENT,
        bodies: int = BODIES,
        body_s: float = BODY_S,
        turn_s: float = TURN_S,
    ) -> None:
        self._app, self._body_s = app, body_s
        self._rate = Buckets(rates.requests, "requests")
        self._posts = Buckets(rates.posts, "posts")
        self._post_bytes = Buckets(rates.post_bytes, "bytes")
        self._requests = OpenCount(per_client)
        self._bodies = OpenCount(bodies_per_client, bodies)
        self._downloads = Downloads(bodies_per_client, bodies, body_s, turn_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            client = client_of(scope)
            self._rate.take(client)
            _demand_short_query(scope)
            with self._requests.opened(client, "requests"):
                async with self._downloads.limited(client, scope, receive, send) as sender:
                    await self._handle(client, scope, receive, sender)
        except ApiError as error:
            await refuse(error, scope, receive, send)

    async def _handle(self, client: str, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in READS and not _has_body(scope):
            await self._app(scope, receive, send)
            return
        with self._bodies.opened(client, "uploads"):
            self._take_post(client, scope)
            await self._app(scope, self._limited(client, scope, receive), send)

    def _take_post(self, client: str, scope: Scope) -> None:
        self._posts.take(client)
        self._post_bytes.take(client, POST_BYTES + (_length(scope) or 0))

    def _limited(self, client: str, scope: Scope, receive: Receive) -> Receive:
        """A receiver whose body must end within the limit; afterwards it waits for any time.

        The bytes of a body without a declared length count as they arrive.
        """
        deadline = asyncio.get_running_loop().time() + self._body_s
        is_complete, is_counted = False, _length(scope) is not None

        async def limited() -> Message:
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
            if not is_counted:
                self._post_bytes.take(client, len(message.get("body", b"")))
            return message

        return limited


def _length(scope: Scope) -> int | None:
    """The declared length of the body, bytes."""
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _demand_short_query(scope: Scope) -> None:
    if len(scope["query_string"]) > MAX_QUERY:
        raise ApiError(414, "query-too-long", f"The limit is {MAX_QUERY} bytes.", CLOSE)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
