"""Reading the objects of one cluster once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import httpx

from vrooli.kube.api_errors import ApiError, parse_response
from vrooli.kube.objects import uid_of
from vrooli.kube.rest import REQUEST_S, Rest

Manifest = dict[str, Any]
Manifests = list[Manifest]


class Through(Protocol):
    """Requests one page of a list, with its own retries and timeouts."""

    async def __call__(self, request: Callable[[float], Awaitable[Manifest]]) -> Manifest:
        """The result of the request, whose argument is its timeout, seconds."""


async def at_once(request: Callable[[float], Awaitable[Manifest]]) -> Manifest:
    """Make one request with the default timeout."""
    return await request(REQUEST_S)


# The page size of a list.
PAGE = 500
# How often a list is resumed or restarted after its continue token has expired.
RESTARTS = 5
# The media type of requests for metadata only: of a list, of the objects of a watch.
NAMES_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
NAMES = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


class Reading(Rest):
    """The part of the client that only reads."""

    async def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Manifest | None:
        """The object, or None when there is none (or no such kind)."""
        action = f"read {kind} {name}"
        try:
            answer = await self._object_call("GET", action, api_version, kind, name, namespace)
        except ApiError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return parse_response(action, answer)

    async def list(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        fields: str | None = None,
        names_only: bool = False,
    ) -> Manifests:
        """The objects of a kind, in a namespace or in all, by label and field selector or all.

        With ``names_only`` the server sends their metadata alone: no Secret's contents, say.
        """
        pages = self.pages(
            api_version, kind, namespace, labels, fields=fields, names_only=names_only
        )
        return [item async for page in pages for item in page]

    async def pages(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        fields: str | None = None,
        names_only: bool = False,
        through: Through = at_once,
    ) -> AsyncGenerator[Manifests, None]:
        """The objects of a kind, page by page, to limit memory usage.

        A list that takes so long that the server forgets its place goes on after the last page,
        with what has changed since; none of it comes twice.
        """
        params = {"limit": str(PAGE), **selectors(labels, fields)}
        headers = {"accept": NAMES_LIST} if names_only else {}
        yielded: set[str] = set()
        restarts = 0
        # It reads `params` anew for each page.
        request = partial(self._page, api_version, kind, namespace, params, headers)
        while True:
            try:
                page = await through(request)
            except ApiError as error:
                is_over = restarts == RESTARTS or not params.pop("continue", "")
                if error.status != httpx.codes.GONE or is_over:
                    raise
                restarts += 1
                if error.continue_:
                    params["continue"] = error.continue_
                continue
            items = items_of(page, api_version, kind)
            yield [item for item in items if uid_of(item) not in yielded]
            yielded |= {uid_of(item) for item in items} - {""}
            if not (rest := (page.get("metadata") or {}).get("continue")):
                return
            params["continue"] = rest

    async def _page(
        self,
        api_version: str,
        kind: str,
        namespace: str | None,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        limit_s: float,
    ) -> Manifest:
        """The answer to one request of a list."""
        answer = await self._object_call(
            *("GET", f"list {kind}", api_version, kind, "", namespace),
            params=params,
            headers=headers,
            timeout=limit_s,
        )
        return parse_response(f"list {kind}", answer)


def items_of(page: Manifest, api_version: str, kind: str) -> Manifests:
    """The objects of one page of a list, each with its version and kind."""
    # A list's items carry neither apiVersion nor kind; some servers write none as null.
    items = page.get("items") or ()
    return [{"apiVersion": api_version, "kind": kind, **item} for item in items]


def selectors(labels: str | None, fields: str | None) -> dict[str, str]:
    """The parameters of a request that select objects."""
    parameters = {"labelSelector": labels, "fieldSelector": fields}
    return {name: text for name, text in parameters.items() if text}
