"""Following the objects of one cluster as they change."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass

import httpx
import kr8s

from vrooli import shell
from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.api_errors import ApiError, NoAnswerError
from vrooli.kube.known import Change, Known
from vrooli.kube.line_stream import iterate_lines
from vrooli.kube.objects import Body, text
from vrooli.kube.reads import NAMES, NAMES_LIST, Manifest, Reading, items_of, selectors
from vrooli.kube.rest import REQUEST_S

# Why an object (None: it does not exist) is not ready; None if it is.
Reason = Callable[[Manifest | None], str | None]

# A watch is requested again after this time, which ends silently broken connections, seconds.
WATCH_S = 60
STREAM_S = WATCH_S + REQUEST_S
# The statuses of an API server that starts, stops, is overloaded, or no longer has the version
# from which a watch continues.
TRANSIENT = (410, 429, 500, 502, 503, 504)
# The pause before a closed watch is requested again, seconds.
PAUSE_S = 0.2


@dataclass(frozen=True)
class _Scope:
    """What is watched: a kind, where, which of its objects, and how much of them."""

    api_version: str
    kind: str
    namespace: str | None
    selectors: Mapping[str, str]
    names_only: bool


class Watching(Reading):
    """The part of the client that follows changes."""

    async def watch(
        self,
        api_version: str,
        kind: str,
        namespace: str | None = None,
        labels: str | None = None,
        *,
        fields: str | None = None,
        names_only: bool = False,
        known: Iterable[Body] = (),
    ) -> AsyncGenerator[Change, None]:
        """Each object as it is now and at each change, by selectors or all, without end.

        After an interruption the objects are listed and compared with what is known: a deletion
        in between is reported too, and nothing twice.

        Args:
            api_version: The version of the kind.
            kind: The kind.
            namespace: Where; None for all namespaces.
            labels: A label selector.
            fields: A field selector.
            names_only: The server sends their metadata alone.
            known: Objects that were read before. Of them only changes are reported.

        Yields:
            The event (ADDED, MODIFIED, DELETED) and the object.

        Raises:
            ApiError: The server refuses the list or the watch.
        """
        scope = _Scope(api_version, kind, namespace, selectors(labels, fields), names_only)
        current = Known(known)
        while True:
            try:
                if not current.version:
                    for change in current.replace(*await self._state(scope)):
                        yield change
                events = contextlib.aclosing(self._events(scope, current.version))
                async with events as stream:
                    async for event in stream:
                        if (reported := current.apply(event)) is not None:
                            yield reported
            except (ApiError, NoAnswerError) as error:
                status = error.status if isinstance(error, ApiError) else None
                if status not in (None, *TRANSIENT):
                    raise
                # A restored server may have an older state, so its version is not relied on. A busy
                # one has the same state, and a list is more work for it than a watch.
                if status != httpx.codes.TOO_MANY_REQUESTS:
                    current.version = ""
            await asyncio.sleep(PAUSE_S)

    async def _state(self, scope: _Scope) -> tuple[list[Manifest], str]:
        """The objects as they are now, and the version of the list."""
        headers = {"accept": NAMES_LIST} if scope.names_only else {}
        answer = await self._page(
            *(scope.api_version, scope.kind, scope.namespace),
            *(scope.selectors, headers, REQUEST_S),
        )
        listed = items_of(answer, scope.api_version, scope.kind)
        return listed, text(answer, "metadata", "resourceVersion")

    async def _events(self, scope: _Scope, version: str) -> AsyncGenerator[Manifest, None]:
        """The events of one request after a version."""
        action = f"watch {scope.kind}"
        url, scoped = await self._resource(scope.api_version, scope.kind)
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_S),
            "resourceVersion": version,
        }
        try:
            async with self._api.call_api(
                "GET",
                version=scope.api_version,
                url=url,
                namespace=scope.namespace if scoped else None,
                params={**params, **scope.selectors},
                headers={"accept": NAMES} if scope.names_only else {},
                stream=True,
                timeout=STREAM_S,
            ) as answer:
                async for line in iterate_lines(answer):
                    yield json.loads(line)
        except (httpx.TransportError, kr8s.APITimeoutError, json.JSONDecodeError) as error:
            raise NoAnswerError(f"A request to {action} broke off: {error!r}") from error
        except kr8s.ServerError as error:
            status = error.response.status_code if error.response is not None else 0
            raise ApiError(action, status, str(error)) from error

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
                self.watch(
                    *(api_version, kind, namespace),
                    fields=f"metadata.name={name}",
                    known=[existing] if existing else [],
                )
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
