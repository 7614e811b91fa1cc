"""Reading the objects of one cluster, once or as they change."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import httpx
import kr8s

from vrooli import shell
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.api_errors import ApiError, parse_response
from vrooli.kube.rest import REQUEST_S, Rest

Manifest = dict[str, Any]
Manifests = list[Manifest]
# Why an object (None: it does not exist) is not ready; None if it is.
Reason = Callable[[Manifest | None], str | None]


class Through(Protocol):
    """Requests one page of a list, with its own retries and timeouts."""

    async def __call__(self, request: Callable[[float], Awaitable[Manifest]]) -> Manifest:
        """The result of the request, whose argument is its timeout, seconds."""


async def at_once(request: Callable[[float], Awaitable[Manifest]]) -> Manifest:
    """Make one request with the default timeout."""
    return await request(REQUEST_S)


# A watch is requested again after this time, which ends silently broken connections, seconds.
WATCH_S = 60
STREAM_S = WATCH_S + REQUEST_S
# The statuses of an API server that starts, stops or is overloaded.
BUSY = (429, 500, 502, 503, 504)
# The page size of a list.
PAGE = 500
# How often a list is resumed or restarted after its continue token has expired.
RESTARTS = 5
# The media type of requests for metadata only.
_NAMES, _NAMES_OF = "application/json;as=PartialObjectMetadata", "g=meta.k8s.io;v=v1"
# The pause before a closed watch is requested again, seconds.
PAUSE_S = 0.2
# The events of a watch that carry an object.
CHANGES = ("ADDED", "MODIFIED", "DELETED")


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
        params = {"limit": str(PAGE), **_selectors(labels, fields)}
        headers = {"accept": f"{_NAMES}List;{_NAMES_OF}"} if names_only else {}
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
            items = _items(page, api_version, kind)
            yield [item for item in items if _uid(item) not in yielded]
            yielded |= {_uid(item) for item in items} - {""}
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
        answer = await self._object_call(
            *("GET", f"list {kind}", api_version, kind, "", namespace),
            params=params,
            headers=headers,
            timeout=limit_s,
        )
        return parse_response(f"list {kind}", answer)

    async def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        fields: str | None = None,
        names_only: bool = False,
    ) -> AsyncGenerator[tuple[str, Manifest], None]:
        """Each object as it is now and at each change, by selectors or all, without end.

        With ``names_only`` the server sends their metadata alone.

        Yields:
            The event (ADDED, MODIFIED, DELETED) and the object.

        Raises:
            ApiError: The server refuses the watch.
        """
        url, scoped = await self._resource(api_version, kind)
        where = namespace if scoped else None
        place: dict[str, Any] = {"version": api_version, "url": url, "namespace": where}
        params = {"watch": "true", "timeoutSeconds": str(WATCH_S), **_selectors(labels, fields)}
        headers = {"accept": f"{_NAMES};{_NAMES_OF}"} if names_only else {}
        while True:
            try:
                async with self._api.call_api(
                    "GET", **place, params=params, headers=headers, stream=True, timeout=STREAM_S
                ) as answer:
                    async for line in answer.aiter_lines():
                        event = json.loads(line)
                        if event["type"] in CHANGES:
                            yield event["type"], event["object"]
            except (httpx.TransportError, kr8s.APITimeoutError):
                pass  # a short outage of the server: retry
            except kr8s.ServerError as error:
                _raise_unless_busy(kind, error)
            await asyncio.sleep(PAUSE_S)

    async def wait_for(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None,
        reason: Reason,
        timeout_s: float,
        progress: Progress | None = None,
    ) -> Manifest:
        """Watch an object until it is ready.

        Returns:
            The object; empty when there is none and ``reason`` wants it so.

        Raises:
            WaitTimeoutError: It still lacked something at the limit.
            VrooliError: What ``reason`` raised for a state without hope.
        """
        existing = await self.get(api_version, kind, name, namespace)
        last = reason(existing)
        if last is None:
            return existing or {}
        began = time.monotonic()
        try:
            watching = contextlib.aclosing(
                self.watch(api_version, kind, namespace, fields=f"metadata.name={name}")
            )
            async with asyncio.timeout(timeout_s), watching as events:
                async for event, body in events:
                    last = reason(None if event == "DELETED" else body)
                    if last is None:
                        return body
                    if progress is not None:
                        progress.report(last)
        except TimeoutError:
            pass
        raise _timeout_error(kind, name, namespace, time.monotonic() - began, last)


def _timeout_error(
    kind: str, name: str, namespace: str | None, waited_s: float, reason: str | None
) -> WaitTimeoutError:
    where = f" -n {shell.label(namespace)}" if namespace else ""
    described = f"{shell.segment(kind.lower())} {shell.name(name, kind)}{where}"
    return WaitTimeoutError(
        f"{kind} {name} is not ready after {waited_s:.0f} s: {reason}",
        shell.checked(f"Look at `kubectl describe {described}`."),
    )


def _items(page: Manifest, api_version: str, kind: str) -> Manifests:
    # A list's items carry neither apiVersion nor kind; some servers write none as null.
    items = page.get("items") or ()
    return [{"apiVersion": api_version, "kind": kind, **item} for item in items]


def _selectors(labels: str | None, fields: str | None) -> dict[str, str]:
    selectors = {"labelSelector": labels, "fieldSelector": fields}
    return {name: text for name, text in selectors.items() if text}


def _raise_unless_busy(kind: str, error: kr8s.ServerError) -> None:
    status = error.response.status_code if error.response is not None else 0
    if status not in BUSY:
        raise ApiError(f"watch {kind}", status, str(error)) from error


def _uid(item: Manifest) -> str:
    metadata = item.get("metadata")
    return str(metadata.get("uid") or "") if isinstance(metadata, dict) else ""
