"""Requests of the fake cluster that fail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import EllipsisType

import httpx

# Any namespace, or none.
ANY = ...
# In the place of an HTTP status: the connection breaks, or there is never a response.
BROKEN, NEVER = 0, -1


@dataclass
class Failure:
    """Requests that fail in one way.

    Attributes:
        verb: The verb of the requests.
        kind: Their kind.
        namespace: Their namespace; None is a list in all namespaces, and ``ANY`` is each.
        name: Their object; empty for all.
        status: The HTTP status of the response, ``BROKEN`` or ``NEVER``.
        message: The server's message.
        times: How often they fail; None is always.
        retry_after_s: The delay before a retry that the server asks for, seconds; None if none.
    """

    verb: str
    kind: str
    namespace: str | EllipsisType | None
    name: str
    status: int
    message: str
    times: int | None
    retry_after_s: int | None


@dataclass
class Failures:
    """The failures of one cluster."""

    active: list[Failure] = field(default_factory=list)

    def forbid(
        self,
        verb: str,
        kind: str,
        *,
        namespace: str | EllipsisType | None = ANY,
        name: str = "",
        message: str = "forbidden",
    ) -> None:
        """Deny a permission: requests fail with status 403, and reviews say no."""
        self.add(verb, kind, 403, message, namespace=namespace, name=name)

    def add(
        self,
        verb: str,
        kind: str,
        status: int,
        message: str = "failure",
        *,
        namespace: str | EllipsisType | None = ANY,
        name: str = "",
        times: int | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        """Let requests fail with a status, ``BROKEN`` or ``NEVER``."""
        self.active.append(
            Failure(verb, kind, namespace, name, status, message, times, retry_after_s)
        )

    def clear(self) -> None:
        """Let all requests succeed again."""
        self.active.clear()

    def forbids(self, verb: str, resource: str, namespace: str | None) -> bool:
        """Whether a permission is denied."""
        return any(
            (item.verb, item.kind, item.status) == (verb, resource, 403)
            and item.namespace in (ANY, namespace)
            for item in self.active
        )

    async def of(
        self, verb: str, kind: str, name: str, namespace: str | None
    ) -> httpx.Response | None:
        """The response of a request that fails; None if it does not.

        Raises:
            httpx.ConnectError: The connection is broken.
        """
        for item in self.active:
            is_match = (
                (item.verb, item.kind) == (verb, kind)
                and item.namespace in (ANY, namespace)
                and item.name in ("", name)
                and item.times != 0
            )
            if is_match:
                item.times = None if item.times is None else item.times - 1
                return await _response(item)
        return None


async def _response(failure: Failure) -> httpx.Response:
    if failure.status == BROKEN:
        raise httpx.ConnectError(failure.message)
    if failure.status == NEVER:
        await asyncio.Event().wait()
    delay_s = failure.retry_after_s
    headers = {} if delay_s is None else {"retry-after": str(delay_s)}
    return httpx.Response(failure.status, json={"message": failure.message}, headers=headers)


@dataclass
class Outage:
    """An API server that is gone.

    Attributes:
        left: How many more connections are refused; ``ALL`` refuses each.
        refused: How many were refused so far.
    """

    ALL = -1

    left: int = 0
    refused: int = 0

    def demand_answer(self) -> None:
        """Refuse a connection.

        Raises:
            httpx.ConnectError: The server is gone.
        """
        if not self.left:
            return
        self.left -= self.left > 0
        self.refused += 1
        raise httpx.ConnectError("All connection attempts failed")
