"""Keeps what is known of a cluster up to date: watches for objects, and asking pods meanwhile.

The kernel's tables of connections can't be watched through the API: while somebody looks, the
pods are asked again and again; that also shows whether the cluster answers at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from vrooli.errors import VrooliError
from vrooli.graph import reading
from vrooli.graph.live import fetch
from vrooli.graph.live.fetch import ResourceQuery
from vrooli.graph.live.snapshot import GraphSnapshot, ResourceKey
from vrooli.graph.model import Diagram
from vrooli.graph.reading import Body
from vrooli.kube import Kube
from vrooli.kube.rest import ApiError

# How often pods are asked for their connections while somebody looks, seconds.
POLL_S = 5.0
# A cluster that doesn't say within this time that it is ready is away, seconds.
API_TIMEOUT_S = 4.0
# How soon it is asked again, seconds.
RETRY_S = 1.0
# Everything is read anew this often, seconds: a watch may miss an end between two requests.
RELIST_S = 60.0
# Changes come in bursts; one look after each is enough, seconds.
DEBOUNCE_S = 0.15


class GraphWatcher:
    """What is known of a cluster, as it changes."""

    def __init__(
        self,
        kube: Kube,
        diagrams: Sequence[Diagram],
        queries: Sequence[ResourceQuery],
        is_active: Callable[[], bool],
    ) -> None:
        self._kube, self._diagrams, self._queries = kube, diagrams, queries
        self._is_active = is_active
        self._objects: dict[ResourceKey, dict[str, Body]] = {query.key: {} for query in queries}
        self._refused: dict[ResourceKey, str] = {}
        self._sockets_snapshot = GraphSnapshot(queries[0].namespace)
        self._changed, self._refresh_requested = asyncio.Event(), asyncio.Event()
        # Since when the cluster hasn't answered; None while it does.
        self.unreachable_since: datetime | None = None

    @property
    def snapshot(self) -> GraphSnapshot:
        """All that is known now."""
        return GraphSnapshot(
            self._sockets_snapshot.namespace,
            self._objects,
            self._refused,
            self._sockets_snapshot.sockets,
            self._sockets_snapshot.socket_errors,
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._list_all()
        await self._poll_sockets()
        self._changed.set()
        async with asyncio.TaskGroup() as group:
            for query in self._queries:
                group.create_task(self._watch(query))
            group.create_task(self._poll())

    async def wait_for_change(self) -> None:
        """Wait until something may be different."""
        await self._changed.wait()
        await asyncio.sleep(DEBOUNCE_S)
        self._changed.clear()

    def refresh(self) -> None:
        """Somebody has come to look: ask the pods now, not at the next time."""
        self._refresh_requested.set()

    async def _list_all(self) -> None:
        results = await asyncio.gather(
            *(fetch.fetch_list(self._kube, query) for query in self._queries)
        )
        for query, result in zip(self._queries, results, strict=True):
            if result.list_errors:
                self._refused[query.key] = result.list_errors
            else:
                self._refused.pop(query.key, None)
                self._objects[query.key] = dict(result.objects)
        self._changed.set()

    async def _watch(self, query: ResourceQuery) -> None:
        """Note every change of a kind's objects; a refused watch is left to the fresh looks."""
        with contextlib.suppress(ApiError):
            events = self._kube.watch(
                query.api_version,
                query.kind,
                query.namespace or None,
                names_only=query.names_only,
            )
            async with contextlib.aclosing(events):
                async for event, body in events:
                    self._apply(query, event, body)

    def _apply(self, query: ResourceQuery, event: str, body: Body) -> None:
        objects, name = self._objects[query.key], reading.name_of(body)
        if event == "DELETED":
            objects.pop(name, None)
        else:
            objects[name] = body
        self._changed.set()

    async def _poll(self) -> None:
        """Ask pods while somebody looks, and notice when the cluster goes and comes back."""
        listed_at = time.monotonic()
        while True:
            if self._is_active():
                was_unreachable = self.unreachable_since is not None
                await self._check_api()
                if self.unreachable_since is None:
                    if was_unreachable or time.monotonic() - listed_at > RELIST_S:
                        await self._list_all()
                        listed_at = time.monotonic()
                    await self._poll_sockets()
                self._changed.set()
            interval_s = POLL_S if self.unreachable_since is None else RETRY_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._refresh_requested.wait(), interval_s)
            self._refresh_requested.clear()

    async def _check_api(self) -> None:
        try:
            async with asyncio.timeout(API_TIMEOUT_S):
                await self._kube.version()
            self.unreachable_since = None
        except (TimeoutError, VrooliError):
            self.unreachable_since = self.unreachable_since or datetime.now(UTC)

    async def _poll_sockets(self) -> None:
        pods = fetch.pods_to_inspect(self.snapshot, self._diagrams)
        sockets, mute = await fetch.fetch_sockets(self._kube, pods)
        self._sockets_snapshot = GraphSnapshot(
            self._sockets_snapshot.namespace, sockets=sockets, socket_errors=mute
        )
