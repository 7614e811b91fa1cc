"""Keeps a snapshot of a cluster up to date: watches objects and polls the connections of pods.

The socket tables of pods cannot be watched through the API. They are polled while a page is open,
which also detects whether the cluster responds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from vrooli.errors import VrooliError
from vrooli.graph.live import fetch
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import Diagram
from vrooli.kube import ApiError, Kube
from vrooli.kube.fetch import Query
from vrooli.kube.watcher import Watcher

# Interval of polling connections while a page is open, seconds.
POLL_S = 5.0
# A cluster that does not respond within this time is unreachable, seconds.
API_TIMEOUT_S = 4.0
# Interval of retries while it is unreachable, seconds.
RETRY_S = 1.0
# Interval of listing everything again, seconds: a watch may miss a deletion.
RELIST_S = 60.0
# Changes within this time are handled together, seconds.
DEBOUNCE_S = 0.15


class GraphWatcher:
    """A snapshot of a cluster that is kept up to date."""

    def __init__(
        self,
        kube: Kube,
        diagrams: Sequence[Diagram],
        queries: Sequence[Query],
        is_active: Callable[[], bool],
    ) -> None:
        self._kube, self._diagrams, self._queries = kube, diagrams, queries
        self._is_active = is_active
        self._watcher = Watcher(
            kube, queries[0].namespace, partial(fetch.fetch_list, kube), _tolerates
        )
        self._sockets: Mapping[tuple[str, str], tuple[Socket, ...]] = {}
        self._socket_errors: Mapping[tuple[str, str], str] = {}
        self._refresh_requested = asyncio.Event()
        # Since when the cluster has not responded; None while it responds.
        self.unreachable_since: datetime | None = None

    @property
    def snapshot(self) -> GraphSnapshot:
        """The current snapshot."""
        return GraphSnapshot.build(self._watcher.snapshot, self._sockets, self._socket_errors)

    async def run(self) -> None:
        """Watch until cancelled."""
        await self._watcher.refresh(self._queries)
        await self._poll_sockets()
        async with asyncio.TaskGroup() as group:
            self._watcher.watch(group, self._queries)
            group.create_task(self._poll())

    async def wait_for_change(self) -> None:
        """Wait until the snapshot may have changed."""
        await self._watcher.changed.wait()
        await asyncio.sleep(DEBOUNCE_S)
        self._watcher.changed.clear()

    def refresh(self) -> None:
        """Poll now: a page was opened."""
        self._refresh_requested.set()

    async def _poll(self) -> None:
        """Poll while a page is open, and detect when the cluster becomes unreachable or returns."""
        listed_at = time.monotonic()
        while True:
            if self._is_active():
                was_unreachable = self.unreachable_since is not None
                await self._check_api()
                if self.unreachable_since is None:
                    if was_unreachable or time.monotonic() - listed_at > RELIST_S:
                        await self._watcher.refresh(self._queries)
                        listed_at = time.monotonic()
                    await self._poll_sockets()
                self._watcher.changed.set()
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
        self._sockets, self._socket_errors = await fetch.fetch_sockets(self._kube, pods)
        self._watcher.changed.set()


def _tolerates(query: Query, error: ApiError) -> bool:
    """Every refused watch: its objects are listed anew from time to time."""
    del query, error
    return True
